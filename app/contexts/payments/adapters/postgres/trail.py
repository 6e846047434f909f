"""Whether the audit trail has the events of every payment, and no others."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from app.contexts.payments.domain.events import EventType
from app.contexts.payments.domain.payment import Status
from app.platform.postgres.inspection import Session
from app.platform.postgres.integrity import rows
from app.platform.postgres.pipeline import Row

SETTLING_S = 60.0
"""How long a sent event may take into the audit trail before it counts as lost."""


_OURS = sorted({event.value.partition(".")[0] for event in EventType})

# What other contexts tell is theirs to compare.
# Types and ids are gathered in the order in which the subquery brings them: sorting all rows once is cheaper than each
# payment's few. Of what is too many, one is enough to tell. They come as the text of an array, which quotes whatever
# else than a type of ours could be in it, and are only taken apart where they differ from what they should be.
_TRAIL = f"""
    SELECT subject, (array_agg(type))[:4]::text, (array_agg(event_id))[:4]::text
    FROM (
        SELECT subject, type, event_id FROM audit.events
        WHERE split_part(type, '.', 1) IN ({", ".join(f"'{word}'" for word in _OURS)})
        ORDER BY subject, sequence, position
    ) e
    GROUP BY subject
    ORDER BY subject
"""

# A payment is due in the trail when the last of its events has been sent for a while, or cleaned up since. "now()" is
# when the snapshot was taken, however long ago that is.
_PAYMENTS = f"""
    SELECT p.id, p.user_id, p.status, o.types, o.ids,
           coalesce(o.are_settled, true)
               AND coalesce(p.finalized_at, p.created_at) < now() - interval '{SETTLING_S} s' AS is_due
    FROM payments p
    LEFT JOIN (
        SELECT user_id, subject, (array_agg(type))[:4]::text AS types, (array_agg(event_id))[:4]::text AS ids,
               bool_and(sent_at IS NOT NULL AND sent_at < now() - interval '{SETTLING_S} s') AS are_settled
        FROM (
            SELECT user_id, subject, type, event_id, sent_at FROM payments.outbox_events
            ORDER BY subject, user_id, sequence
        ) e
        GROUP BY subject, user_id
    ) o ON o.user_id = p.user_id AND o.subject = p.id
    ORDER BY p.id
"""

_EVENTS: Mapping[str, str] = {
    Status.PENDING: "{payment.created}",
    Status.APPROVED: "{payment.created,payment.completed}",
    Status.DECLINED: "{payment.created,payment.failed,refund.created}",
    Status.FAILED: "{payment.created,payment.failed,refund.created}",
}


class _Told(NamedTuple):
    """What the trail has of a payment: the types of its events, and their ids."""

    payment_id: UUID
    types: str
    ids: str


class _Payment(NamedTuple):
    """A payment, and what the outbox still has of it."""

    id: UUID
    user_id: UUID
    status: str
    types: str | None
    ids: str | None
    is_due: bool


@dataclass(frozen=True, slots=True)
class TrailIsComplete:
    """Compares the trail with the payments, both in the order of payment ids. The trail's snapshot is the older."""

    trail: Session
    books: Session
    name: str = "audit_trail_is_complete"
    claim: str = "every payment's events are in the audit trail, each once, and no other payment's"

    async def offenders(self) -> AsyncIterator[str]:
        """Payments whose events are missing, doubled or foreign."""
        trail = rows(self.trail, _TRAIL)
        told = await _next(trail)
        async for row in rows(self.books, _PAYMENTS):
            payment = _Payment(*row)
            while told is not None and told.payment_id < payment.id:
                yield _phantom(told)
                told = await _next(trail)
            of_it = _Told(payment.id, "{}", "{}")
            if told is not None and told.payment_id == payment.id:
                of_it = told
                told = await _next(trail)
            if contradiction := _contradiction(payment, of_it):
                yield contradiction
        while told is not None:
            yield _phantom(told)
            told = await _next(trail)


async def _next(trail: AsyncIterator[Row]) -> _Told | None:
    row = await anext(trail, None)
    return None if row is None else _Told(*row)


def _contradiction(payment: _Payment, told: _Told) -> str | None:
    expected = _EVENTS.get(payment.status, "{}")
    if told.types == expected and payment.ids in (told.ids, None):
        return None
    types = _parts(told.types)
    is_part = set(types) <= set(_parts(expected)) and len(types) == len(set(types))
    if not is_part or (payment.is_due and told.types != expected):
        return f"payment {payment.id} of user {payment.user_id} is {payment.status}, the trail has {told.types}"
    # Some events may have been cleaned up from the outbox, others may be on their way: what both have is the same.
    kept = dict(zip(_parts(payment.types), _parts(payment.ids), strict=False))
    for type_, event_id in zip(types, _parts(told.ids), strict=True):
        if kept.get(type_, event_id) != event_id:
            return f"the trail has event {event_id} as {type_} of payment {payment.id}, the outbox has {kept[type_]}"
    return None


def _parts(array: str | None) -> list[str]:
    """What is in an array of plain words; of quoted ones anything but plain words."""
    return array[1:-1].split(",") if array not in (None, "{}") else []


def _phantom(told: _Told) -> str:
    return f"the trail has {told.types} of payment {told.payment_id}, which does not exist"
