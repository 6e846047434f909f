"""What the books have of one payment."""

from collections.abc import Mapping
from uuid import UUID

from psycopg import AsyncConnection

from app.contexts.payments.adapters.postgres.rows import PAYMENT_COLUMNS, payment_of
from app.contexts.payments.application.records import Booked, KeyState, Leg
from app.platform.operations.trail import WrittenEvent
from app.platform.postgres.inspection import inspecting
from app.platform.postgres.pipeline import Row

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
    SELECT event_id, type, sequence, created_at, sent_at, attempts, retry_at, last_error
    FROM payments.outbox_events
    WHERE user_id = %(user_id)s AND subject = %(payment_id)s
    ORDER BY sequence
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

    async def place_of(self, wanted: UUID) -> str | None:
        """The path of the console's page of the payment with that id, if there is one.

        Raises:
            Unavailable: the books are out of reach.
        """
        async with inspecting(self._url, _LOOK_S) as books:
            rows = await _all(books, "SELECT '/payments/' || id FROM payments WHERE id = %(id)s", {"id": wanted})
        return rows[0][0] if rows else None


async def _all(connection: AsyncConnection[Row], query: str, known: Mapping[str, object]) -> list[Row]:
    return await (await connection.execute(query, known)).fetchall()
