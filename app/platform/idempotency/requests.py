"""The keys of `/v1`: one namespace for each who asks, over all routes of all contexts."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from app.platform.idempotency.keys import Answered, KeyedRequest, recorded
from app.platform.idempotency.statements import IdempotencyKeys, records_of
from app.platform.postgres.reads import SharedReads

TABLE: Final = "v1_idempotency_keys"


def request_keys(*, needs: str = "true", given: Sequence[tuple[str, str]] = ()) -> IdempotencyKeys:
    """The keys, for requests that claim theirs only where `needs` holds; see `IdempotencyKeys`."""
    return IdempotencyKeys(TABLE, made="made_id", needs=needs, given=given)


KEYS: Final = request_keys()
"""For whoever reads, stores and purges: claims differ from use case to use case, the keys do not."""


def id_of(shown: Sequence[UUID]) -> UUID:
    """The id of what a request made, from what a record shows of it."""
    return shown[0]


class RequestKeys:
    """Looks keys up, without claiming or locking anything."""

    def __init__(self, reads: SharedReads) -> None:
        self._reads = reads

    async def answer_of(self, request: KeyedRequest) -> Answered | None:
        """What answers the request, if it was answered before; None where its key is free.

        Raises:
            KeyReused: the key belongs to another request.
            KeyInProgress: this very request is under way.
            Unavailable: it cannot be known now.
        """
        (rows,) = await self._reads.read(request.asker_id, KEYS.find(request.scope))
        if not rows:
            return None
        result = recorded(request.fingerprint, records_of(rows, id_of)[request.scope])
        if isinstance(result, Answered):
            return result
        raise result
