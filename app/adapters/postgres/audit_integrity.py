"""The audit trail's invariants: one unbroken hash chain, and the events of every payment in it.

How a row is hashed is told in `consumers/audit_chain.py`; here it is computed again, by the database. Whoever owns the
database can rewrite the whole chain: against that only a head noted elsewhere helps.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from app.adapters.postgres.integrity import QueryCheck
from app.application.integrity.verify import Check

Row = tuple[Any, ...]

SETTLING_S = 60.0
"""How long a sent event may take into the audit trail before it counts as lost."""


def _field(value: str) -> str:
    return f"int8send(octet_length(convert_to({value}, 'UTF8'))) || convert_to({value}, 'UTF8')"


_COMPUTED = " || ".join(
    _field(value)
    for value in (
        "position::text",
        "event_id::text",
        "type",
        "subject::text",
        "sequence::text",
        "((extract(epoch FROM occurred_at) * 1000000)::bigint)::text",
        "payload::text",
    )
)

_CHAIN = f"""
    SELECT CASE
        WHEN position > before + 2 THEN format('positions %s to %s were removed', before + 1, position - 1)
        WHEN position > before + 1 THEN format('position %s was removed', before + 1)
        WHEN hash <> computed THEN format('position %s (event %s) was changed', position, event_id)
        ELSE format('position %s (event %s) does not follow the one before: it was inserted, or that one replaced',
                    position, event_id) END
    FROM (
        SELECT position, event_id, hash, previous_hash,
               lag(position, 1, 0::bigint) OVER chain AS before,
               lag(hash, 1, decode(repeat('00', 32), 'hex')) OVER chain AS hash_before,
               sha256(previous_hash || {_COMPUTED}) AS computed
        FROM audit.events
        WINDOW chain AS (ORDER BY position)
    ) e
    WHERE position <> before + 1 OR previous_hash <> hash_before OR hash <> computed
    UNION ALL
    SELECT format('the head stands at position %s, the newest event at %s: events were removed from the end, or added',
                  h.position, coalesce(e.position, 0))
    FROM (SELECT) one
    LEFT JOIN audit.head h ON true
    LEFT JOIN (SELECT position, hash FROM audit.events ORDER BY position DESC LIMIT 1) e ON true
    WHERE h.position IS DISTINCT FROM coalesce(e.position, 0) OR h.hash <> e.hash
"""

_TRAIL = """
    SELECT subject, array_agg(type ORDER BY sequence, position)
    FROM audit.events
    WHERE type IN ('payment.created', 'payment.completed', 'payment.failed', 'refund.created')
    GROUP BY subject
    ORDER BY subject
"""

# A payment is due in the trail when the last of its events has been sent for a while, or cleaned up since.
_PAYMENTS = f"""
    SELECT p.id, p.user_id, p.status,
           NOT EXISTS (SELECT FROM outbox_events o
                       WHERE o.user_id = p.user_id AND o.payment_id = p.id
                           AND (o.sent_at IS NULL OR o.sent_at > clock_timestamp() - interval '{SETTLING_S} s'))
               AND coalesce(p.finalized_at, p.created_at) < now() - interval '{SETTLING_S} s' AS is_due
    FROM payments p
    ORDER BY p.id
"""

_EVENTS = {
    "PENDING": ["payment.created"],
    "APPROVED": ["payment.created", "payment.completed"],
    "DECLINED": ["payment.created", "payment.failed", "refund.created"],
    "FAILED": ["payment.created", "payment.failed", "refund.created"],
}


@dataclass(frozen=True, slots=True)
class TrailIsComplete:
    """Compares the trail with the payments, both in the order of payment ids. The trail's snapshot is the older."""

    trail: AsyncConnection[Row]
    books: AsyncConnection[Row]
    name: str = "audit_trail_is_complete"
    claim: str = "every payment's events are in the audit trail, each once, and no other payment's"

    async def offenders(self) -> AsyncIterator[str]:
        """Payments whose events are missing, doubled or foreign."""
        async with self.trail.cursor("trail") as trail, self.books.cursor("payments") as payments:
            trail.itersize = payments.itersize = 5_000
            await trail.execute(_TRAIL)
            await payments.execute(_PAYMENTS)
            told: tuple[UUID, list[str]] | None = await anext(aiter(trail), None)
            async for payment_id, user_id, status, is_due in payments:
                while told is not None and told[0] < payment_id:
                    yield _phantom(told)
                    told = await anext(aiter(trail), None)
                types: list[str] = []
                if told is not None and told[0] == payment_id:
                    types = told[1]
                    told = await anext(aiter(trail), None)
                expected = _EVENTS[status]
                if types != expected and (is_due or not set(types) <= set(expected) or len(types) > len(set(types))):
                    yield f"payment {payment_id} of user {user_id} is {status}, the trail has {types}"
            while told is not None:
                yield _phantom(told)
                told = await anext(aiter(trail), None)


def _phantom(told: tuple[UUID, list[str]]) -> str:
    return f"the trail has {told[1]} of payment {told[0]}, which does not exist"


def checks_of_the_audit_trail(trail: AsyncConnection[Row], books: AsyncConnection[Row]) -> Sequence[Check]:
    """The checks over the trail's snapshot and one of the books that was taken after it."""
    return [
        QueryCheck(trail, "audit_chain_is_unbroken", "the audit trail's hash chain is unbroken", _CHAIN, None),
        TrailIsComplete(trail, books),
    ]
