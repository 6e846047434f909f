"""Several requests with one key in a batch: the first of them is done, and the others are told of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from app.kernel.errors import Unavailable
from app.platform.idempotency.keys import Answered, KeyRecord, KeyScope, recorded
from app.platform.idempotency.refusals import KeyInProgress, KeyReused


class Keyed(Protocol):
    """A request with a key."""

    @property
    def scope(self) -> KeyScope:
        """What its key is unique within."""
        ...

    @property
    def fingerprint(self) -> bytes:
        """Of what it asks for."""
        ...


R = TypeVar("R", bound=Keyed)
Result = TypeVar("Result")


def firsts_of(requests: Sequence[R]) -> dict[KeyScope, R]:
    """Of the requests of a batch the first of each key."""
    firsts: dict[KeyScope, R] = {}
    for request in requests:
        firsts.setdefault(request.scope, request)
    return firsts


def told(
    requests: Sequence[R], firsts: Mapping[KeyScope, R], results: Mapping[KeyScope, Result],
    records: Mapping[KeyScope, KeyRecord[Any]],
) -> list[Result | Answered | KeyReused | KeyInProgress | Unavailable]:  # fmt: skip
    """What each request gets, once the first of each key has its result. `records` are those of keys from before."""
    return [
        results[request.scope]
        if request is firsts[request.scope]
        else _behind(request, firsts[request.scope], results[request.scope], records.get(request.scope))
        for request in requests
    ]


def _behind(
    request: R, first: R, result: Result, record: KeyRecord[Any] | None
) -> Result | Answered | KeyReused | KeyInProgress | Unavailable:
    """What a request gets whose key another request of the same batch brought, earlier."""
    if record is not None:
        return recorded(request.fingerprint, record)
    if request.fingerprint != first.fingerprint:
        # Where the first left no trace this one has the key to itself, in a later batch.
        return KeyReused() if isinstance(result, Answered) else Unavailable("another request held the key")
    return Answered(result.answer, replayed=True) if isinstance(result, Answered) else result
