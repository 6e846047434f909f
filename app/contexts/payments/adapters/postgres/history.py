"""What the books and the audit trail have of one payment."""

from collections.abc import Collection, Mapping
from uuid import UUID

from psycopg import AsyncConnection

from app.adapters.postgres.inspection import Row, inspecting
from app.adapters.postgres.rows import PAYMENT_COLUMNS, payment_of
from app.application.payments.story import Action, AuditedEvent, Booked, KeyState, Leg, Told, WrittenEvent

_LOOK_S = 5.0

_PAYMENT = f"""
    SELECT {PAYMENT_COLUMNS}, s.name, p.recover_after, clock_timestamp()
    FROM payments p
    LEFT JOIN service_providers s ON s.id = p.provider_id
    WHERE p.id = %(payment_id)s
"""

_LEGS = """
    SELECT t.id, t.kind, e.account, e.amount, e.balance_after, e.created_at
    FROM transactions t
    JOIN ledger_entries e ON e.user_id = t.user_id AND e.transaction_id = t.id
    WHERE t.user_id = %(user_id)s AND t.payment_id = %(payment_id)s
    ORDER BY e.created_at, t.id, e.account DESC
"""

_KEY = """
    SELECT created_at, finalized_at, response_status FROM idempotency_keys
    WHERE user_id = %(user_id)s AND key = %(key)s AND payment_id = %(payment_id)s
"""

_EVENTS = """
    SELECT event_id, type, sequence, created_at, sent_at, attempts, retry_at, last_error FROM outbox_events
    WHERE user_id = %(user_id)s AND payment_id = %(payment_id)s
    ORDER BY sequence
"""

_AUDITED = """
    SELECT e.position, e.event_id, e.type, e.sequence, e.received_at, i.received_at
    FROM audit.events e
    LEFT JOIN metrics.inbox i ON i.event_id = e.event_id
    WHERE e.subject = %(payment_id)s
    ORDER BY e.position
"""

# Operators do few things: the table is walked.
_ACTIONS = """
    SELECT at, operator, action, details FROM audit.actions
    WHERE jsonb_exists_any(details->'messages', %(event_ids)s::text[])
        OR details->>'began_as' IN (
            SELECT id::text FROM audit.actions WHERE jsonb_exists_any(details->'messages', %(event_ids)s::text[]))
    ORDER BY id
"""


class PostgresRecords:
    """The books' database. It implements `PaymentRecords`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def payment(self, payment_id: UUID) -> Booked | None:
        """See `PaymentRecords.payment`."""
        async with inspecting(self._url, _LOOK_S) as books:
            rows = await _all(books, _PAYMENT, {"payment_id": payment_id})
            if not rows:
                return None
            *columns, provider_name, recover_after, now = rows[0]
            payment = payment_of(columns)
            known = {"payment_id": payment_id, "user_id": payment.user_id, "key": payment.idempotency_key}
            legs = [Leg(*row) for row in await _all(books, _LEGS, known)]
            keys = [KeyState(*row) for row in await _all(books, _KEY, known)]
            events = [WrittenEvent(*row) for row in await _all(books, _EVENTS, known)]
        return Booked(payment, provider_name, recover_after, now, legs, keys[0] if keys else None, events)


class PostgresTrail:
    """The consumers' database. It implements `Trail`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def told(self, payment_id: UUID, event_ids: Collection[UUID]) -> Told:
        """See `Trail.told`."""
        async with inspecting(self._url, _LOOK_S) as trail:
            events = [AuditedEvent(*row) for row in await _all(trail, _AUDITED, {"payment_id": payment_id})]
            ids = [str(event_id) for event_id in {*event_ids, *(event.event_id for event in events)}]
            actions = [Action(*row) for row in await _all(trail, _ACTIONS, {"event_ids": ids})]
        return Told(events, actions)


async def _all(connection: AsyncConnection[Row], query: str, known: Mapping[str, object]) -> list[Row]:
    return await (await connection.execute(query, known)).fetchall()
