"""Requests as operators look at them: the newest, and what became of one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from app.platform.postgres.inspection import found, inspecting

WITHIN_S: Final = 10.0

_COLUMNS: Final = """
    SELECT r.request_id, r.entry_id, r.user_id, r.place, r.address, r.amount::text, r.status, r.tx_hash, r.reason,
           r.created_at, r.submitted_at, r.settled_at, e.event_id, e.sent_at
    FROM mint.mint_requests r
    LEFT JOIN mint.outbox_events e ON e.subject = r.entry_id AND e.sequence = r.place AND e.user_id = r.user_id
"""
_OF: Final = f"{_COLUMNS} WHERE r.request_id = %(id)s OR r.entry_id = %(id)s ORDER BY r.place"
_BEFORE: Final = "(r.created_at, r.request_id) < (%(at)s, %(id)s)"
_STATES: Final = {
    "all": "true",
    "open": "r.ask_after IS NOT NULL",
    "failed": "r.status = 'FAILED'",
    "minted": "r.status = 'MINTED'",
}
STATES: Final = tuple(_STATES)
"""What may be asked for: all, those that are not final, and those that are, by how they ended."""

# Of the indexes of what is open, and of what failed.
_COUNTS: Final = """
    SELECT count(*) FILTER (WHERE status = 'REQUESTED'), count(*) FILTER (WHERE status = 'SUBMITTED'),
           min(created_at), (SELECT count(*) FROM mint.mint_requests WHERE status = 'FAILED')
    FROM mint.mint_requests WHERE ask_after IS NOT NULL
"""


class RequestStory(NamedTuple):
    """A request: what was asked for, where it stands, when it came there, and the event that tells it."""

    request_id: UUID
    entry_id: UUID
    user_id: UUID
    place: int
    address: str
    amount: str
    status: str
    tx_hash: str | None
    reason: str | None
    created_at: datetime
    submitted_at: datetime | None
    settled_at: datetime | None
    event_id: UUID | None
    sent_at: datetime | None


class Place(NamedTuple):
    """Where a list goes on."""

    at: datetime
    id: UUID


class Counts(NamedTuple):
    """How many requests are how far; the oldest of those that are not final."""

    requested: int
    submitted: int
    oldest: datetime | None
    failed: int


class Newest(NamedTuple):
    """Some requests, newest first, and the counts of all at the same moment."""

    requests: Sequence[RequestStory]
    counts: Counts


async def newest(url: str, state: str, address: str | None, before: Place | None, limit: int) -> Newest:
    """The newest requests in that of `STATES`, to the address if one is given.

    Raises:
        Unavailable: the database is out of reach.
    """
    asked = [_STATES[state]]
    known: dict[str, object] = {"limit": limit}
    if address is not None:
        asked.append("r.address = %(address)s")
        known["address"] = address
    if before is not None:
        asked.append(_BEFORE)
        known |= before._asdict()
    query = f"{_COLUMNS} WHERE {' AND '.join(asked)} ORDER BY r.created_at DESC, r.request_id DESC LIMIT %(limit)s"
    async with inspecting(url, WITHIN_S) as session:
        ((*counts,),) = await found(session, _COUNTS, {})
        rows = await found(session, query, known)
    return Newest([RequestStory(*row) for row in rows], Counts(*counts))


async def stories_of(url: str, id_: UUID) -> Sequence[RequestStory]:
    """The request of that id, or all for the entry of that id; none where there is none.

    Raises:
        Unavailable: the database is out of reach.
    """
    async with inspecting(url, WITHIN_S) as session:
        return [RequestStory(*row) for row in await found(session, _OF, {"id": id_})]
