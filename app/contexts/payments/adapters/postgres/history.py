"""What the books have of one payment, and of one refund."""

from collections.abc import Mapping
from uuid import UUID

from psycopg import AsyncConnection

from app.contexts.payments.adapters.postgres.refund_rows import columns_of, refund_of
from app.contexts.payments.adapters.postgres.rows import PAYMENT_COLUMNS, payment_of
from app.contexts.payments.application.records import Booked, BookedRefund, KeyState, Leg
from app.platform.operations.trail import WrittenEvent
from app.platform.postgres.inspection import inspecting
from app.platform.postgres.pipeline import Row

_LOOK_S = 5.0

_PAYMENT = f"""
    SELECT {PAYMENT_COLUMNS}, s.name, p.recover_after, clock_timestamp()
    FROM payments p
    LEFT JOIN service_providers s ON s.id = p.provider_id
    WHERE p.id = %(made)s
"""

_LEGS = """
    SELECT t.id, t.kind, e.account, e.amount, e.balance_after, e.created_at
    FROM transactions t
    JOIN ledger_entries e ON e.user_id = t.user_id AND e.transaction_id = t.id
    WHERE t.user_id = %(user_id)s AND t.payment_id = %(made)s
    ORDER BY e.created_at, t.id, e.account DESC
"""

_KEY = """
    SELECT created_at, finalized_at, response_status FROM idempotency_keys
    WHERE user_id = %(owner)s AND key = %(key)s AND payment_id = %(made)s
"""
_KEY_OF_V1 = """
    SELECT created_at, finalized_at, response_status FROM v1_idempotency_keys
    WHERE user_id = %(owner)s AND key = %(key)s AND made_id = %(made)s
"""

_EVENTS = """
    SELECT event_id, type, sequence, created_at, sent_at, attempts, retry_at, last_error
    FROM payments.outbox_events
    WHERE user_id = %(user_id)s AND subject = %(made)s
    ORDER BY sequence
"""

MOST_REFUNDS = 50
"""Of a payment's refunds the newest are told."""

_REFUNDS = f"""
    SELECT {columns_of("f")} FROM payments.refunds f WHERE f.payment_id = %(made)s
    ORDER BY f.created_at DESC, f.id DESC LIMIT {MOST_REFUNDS}
"""
_REFUND = f"""
    SELECT {columns_of("f")}, f.recover_after, clock_timestamp() FROM payments.refunds f WHERE f.id = %(made)s
"""
_LEGS_OF_A_REFUND = """
    SELECT t.id, t.kind, e.account, e.amount, e.balance_after, e.created_at
    FROM transactions t
    JOIN ledger_entries e ON e.user_id = t.user_id AND e.transaction_id = t.id
    WHERE t.user_id = %(user_id)s AND t.id = %(made)s
    ORDER BY e.account DESC
"""


_PLACE = """
    SELECT '/payments/' || id FROM payments WHERE id = %(id)s
    UNION ALL SELECT '/payments/' || payment_id FROM payments.refunds WHERE id = %(id)s
"""


class PostgresRecords:
    """The books' database. It implements `PaymentRecords` and `RefundRecords`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def payment(self, payment_id: UUID) -> Booked | None:
        """See `PaymentRecords.payment`."""
        async with inspecting(self._url, _LOOK_S) as books:
            rows = await _all(books, _PAYMENT, {"made": payment_id})
            if not rows:
                return None
            *columns, provider_name, recover_after, now = rows[0]
            payment = payment_of(columns)
            owner, key = payment.asked_by or payment.user_id, payment.idempotency_key
            known = {"made": payment_id, "user_id": payment.user_id, "owner": owner, "key": key}
            legs = [Leg(*row) for row in await _all(books, _LEGS, known)]
            keys = await _all(books, _KEY_OF_V1 if payment.asked_by else _KEY, known)
            events = [WrittenEvent(*row) for row in await _all(books, _EVENTS, known)]
            refunds = [refund_of(row) for row in await _all(books, _REFUNDS, known)]
        state = KeyState(*keys[0]) if keys else None
        return Booked(payment, provider_name, recover_after, now, legs, state, events, refunds)

    async def refund(self, refund_id: UUID) -> BookedRefund | None:
        """See `RefundRecords.refund`."""
        async with inspecting(self._url, _LOOK_S) as books:
            rows = await _all(books, _REFUND, {"made": refund_id})
            if not rows:
                return None
            *columns, recover_after, now = rows[0]
            refund = refund_of(columns)
            known = {
                "made": refund_id,
                "user_id": refund.user_id,
                "owner": refund.asked_by,
                "key": refund.idempotency_key,
            }
            legs = [Leg(*row) for row in await _all(books, _LEGS_OF_A_REFUND, known)]
            keys = await _all(books, _KEY_OF_V1, known)
            events = [WrittenEvent(*row) for row in await _all(books, _EVENTS, known)]
        return BookedRefund(refund, recover_after, now, legs, KeyState(*keys[0]) if keys else None, events)

    async def place_of(self, wanted: UUID) -> str | None:
        """The path of the console's page of the payment, or of the refund's payment, with that id, if there is one.

        Raises:
            Unavailable: the books are out of reach.
        """
        async with inspecting(self._url, _LOOK_S) as books:
            rows = await _all(books, _PLACE, {"id": wanted})
        return rows[0][0] if rows else None


async def _all(connection: AsyncConnection[Row], query: str, known: Mapping[str, object]) -> list[Row]:
    return await (await connection.execute(query, known)).fetchall()
