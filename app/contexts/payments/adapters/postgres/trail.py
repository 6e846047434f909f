"""The audit trail's invariants: one unbroken hash chain, and the events of every payment in it.

How a row is hashed is told in `consumers/audit_chain.py`; here it is computed again, by the database. Whoever owns the
database can rewrite the whole chain: against that only a head noted elsewhere helps.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from app.adapters.postgres.integrity import QueryCheck, rows
from app.application.integrity.verify import Check

Row = tuple[Any, ...]

SETTLING_S = 60.0
"""How long a sent event may take into the audit trail before it counts as lost."""


# Each row's own hash is computed first, by all workers, and the chain is walked after that: OFFSET 0 keeps them apart.
_CHAIN = r"""
    SELECT CASE
        WHEN position > before + 2 THEN format('positions %s to %s were removed', before + 1, position - 1)
        WHEN position > before + 1 THEN format('position %s was removed', before + 1)
        WHEN hash IS DISTINCT FROM computed THEN format('position %s (event %s) was changed', position, event_id)
        ELSE format('position %s (event %s) does not follow position %s: one of them was replaced or inserted',
                    position, event_id, before) END
    FROM (
        SELECT position, event_id, hash, previous_hash, computed,
               lag(position, 1, 0::bigint) OVER chain::numeric AS before,
               lag(hash, 1, decode(repeat('00', 32), 'hex')) OVER chain AS hash_before
        FROM (
            SELECT position, event_id, hash, previous_hash,
                   sha256(previous_hash || convert_to(concat_ws(E'\n', position, event_id, subject, sequence,
                       trunc(extract(epoch FROM occurred_at) * 1000000),
                       trunc(extract(epoch FROM received_at) * 1000000),
                       length(type), type || payload::text), 'UTF8')) AS computed
            FROM audit.events
            ORDER BY position
            OFFSET 0
        ) e
        WINDOW chain AS (ORDER BY position)
    ) e
    WHERE position <> before + 1 OR previous_hash IS DISTINCT FROM hash_before OR hash IS DISTINCT FROM computed
    UNION ALL
    SELECT CASE
        WHEN head.position IS NULL THEN 'the head is gone'
        WHEN head.position > newest.position THEN format(
            'positions %s to %s were removed from the end, or the head was changed', newest.position + 1, head.position)
        WHEN head.position < newest.position THEN format(
            'positions %s to %s were added to the end, or the head was changed', head.position + 1, newest.position)
        ELSE format('the head is not that of position %s: it was changed, or that one replaced', head.position) END
    FROM (
        SELECT coalesce(max(position), 0) AS position,
               coalesce((array_agg(hash ORDER BY position DESC))[1], decode(repeat('00', 32), 'hex')) AS hash
        FROM (SELECT position, hash FROM audit.events ORDER BY position DESC LIMIT 1) e
    ) newest
    LEFT JOIN audit.head ON true
    WHERE (head.position, head.hash) IS DISTINCT FROM (newest.position, newest.hash)
"""

# Types and ids are gathered in the order in which the subquery brings them: sorting all rows once is cheaper than each
# payment's few. Of what is too many, one is enough to tell. They come as the text of an array, which quotes whatever
# else than a type of ours could be in it, and are only taken apart where they differ from what they should be.
_TRAIL = """
    SELECT subject, (array_agg(type))[:4]::text, (array_agg(event_id))[:4]::text
    FROM (SELECT subject, type, event_id FROM audit.events ORDER BY subject, sequence, position) e
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
        SELECT user_id, payment_id, (array_agg(type))[:4]::text AS types, (array_agg(event_id))[:4]::text AS ids,
               bool_and(sent_at IS NOT NULL AND sent_at < now() - interval '{SETTLING_S} s') AS are_settled
        FROM (
            SELECT user_id, payment_id, type, event_id, sent_at FROM outbox_events
            ORDER BY payment_id, user_id, sequence
        ) e
        GROUP BY payment_id, user_id
    ) o ON o.user_id = p.user_id AND o.payment_id = p.id
    ORDER BY p.id
"""

_EVENTS = {
    "PENDING": "{payment.created}",
    "APPROVED": "{payment.created,payment.completed}",
    "DECLINED": "{payment.created,payment.failed,refund.created}",
    "FAILED": "{payment.created,payment.failed,refund.created}",
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

    trail: AsyncConnection[Row]
    books: AsyncConnection[Row]
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


def chain_check(trail: AsyncConnection[Row]) -> Check:
    """The check over a snapshot of the trail."""
    return QueryCheck(trail, "audit_chain_is_unbroken", "the audit trail's hash chain is unbroken", _CHAIN, None)
