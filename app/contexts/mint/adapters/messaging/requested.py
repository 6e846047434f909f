"""The documents of `mint.queue`, as what they ask for."""

from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from app.contexts.chain.public import MOST
from app.contexts.mint.application.hear import Hearing
from app.contexts.mint.application.ports import Asked
from app.contexts.mint.domain.request import MintRequest
from app.kernel.principal import TenantId
from app.platform.messaging.received_events import Event, Malformed, decoded, known_trace

REQUESTED: Final = "mint.requested"


class _Requested(Event, frozen=True, gc=False):
    tenantid: UUID | None = None
    traceparent: str | None = None


class _Data(msgspec.Struct, frozen=True):
    request_id: UUID
    entry_id: UUID
    user_id: UUID
    address: Annotated[str, Meta(pattern=r"\A0x[0-9a-fA-F]{40}\Z")]
    amount: Annotated[str, Meta(pattern=r"\A[1-9][0-9]{0,77}\Z")]


_events: Final = msgspec.json.Decoder(_Requested, strict=False)


class Requested:
    """The handler of the queue: what is asked for is heard. Other types have no effect."""

    def __init__(self, hear: Hearing) -> None:
        self._hear = hear

    async def __call__(self, documents: Sequence[bytes]) -> None:
        """Hear the documents' events.

        Raises:
            Malformed: one of the documents asks for nothing that could be.
            ConnectionError: nothing can be done for now.
        """
        events = [decoded(_events, document) for document in documents]
        asked = {event.id: Asked(event.id, _request_of(event)) for event in events if event.type == REQUESTED}
        if asked:
            await self._hear(list(asked.values()))


def _request_of(event: _Requested) -> MintRequest:
    data = event.data_as(_Data)
    amount = int(data.amount)
    if amount > MOST:
        raise Malformed("data: amount is more than there can be")
    return MintRequest(
        id=data.request_id,
        entry_id=data.entry_id,
        user_id=data.user_id,
        tenant_id=None if event.tenantid is None else TenantId(event.tenantid),
        address=data.address.lower(),
        amount=amount,
        traceparent=known_trace(event.traceparent),
    )
