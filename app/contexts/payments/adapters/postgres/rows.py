"""How rows become what the use cases know."""

from collections.abc import Sequence
from typing import Any, Final

from app.contexts.funds.public import TransactionId
from app.contexts.payments.domain.ids import PaymentId, ProviderId
from app.contexts.payments.domain.payment import Payment, Status
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.platform.postgres.pipeline import Call, Statement, columns

PAYMENT_COLUMNS = """
    p.id, p.transaction_id, p.user_id, p.idempotency_key, p.provider_id, p.external_reference, p.amount, p.currency,
    p.created_at, p.status, p.failure_code, p.void_requested_at, p.finalized_at, p.traceparent, p.tenant_id, p.asked_by,
    p.metadata
"""

# Nobody changes a payment's key: whoever refers to one (a transaction, a refund) need not wait for its holder.
LOCK_PAYMENTS: Final = Statement(f"""
    SELECT {PAYMENT_COLUMNS}
    FROM payments p
    WHERE (p.user_id, p.id) IN (SELECT * FROM unnest(%b::uuid[], %b::uuid[]))
    ORDER BY p.user_id, p.id
    FOR NO KEY UPDATE OF p
""")


LOCK_BY_ID: Final = Statement(f"""
    SELECT {PAYMENT_COLUMNS}
    FROM payments p
    WHERE p.id = ANY(%b::uuid[])
    ORDER BY p.user_id, p.id
    FOR NO KEY UPDATE OF p
""")


def has_payment(payment_id: str, tenant_id: str, keeps_keys: str) -> str:
    """A condition for a WHERE: whether the payment is there and the tenant's, who may have given out API_KEYS, too. It
    is given SQL, columns or parameters."""
    return (
        f"EXISTS (SELECT FROM payments p WHERE p.id = {payment_id}"
        f" AND coalesce(p.tenant_id = {tenant_id}, {keeps_keys}) OFFSET 0)"
    )


def lock_payments(payments: Sequence[tuple[UserId, PaymentId]]) -> Call:
    """The statement that locks the payments; `payment_of` reads its rows."""
    return LOCK_PAYMENTS, columns(payments)


def lock_by_id(payments: Sequence[PaymentId]) -> Call:
    """The statement that locks those of the payments that there are, whosever they are; `payment_of` reads its rows."""
    return LOCK_BY_ID, (list(payments),)


def payment_of(row: Sequence[Any]) -> Payment:
    """The payment of a row of PAYMENT_COLUMNS. What was stored is not checked again, but for its amount."""
    return Payment(
        id=PaymentId(row[0]),
        transaction_id=TransactionId(row[1]),
        user_id=UserId(row[2]),
        idempotency_key=row[3],
        provider_id=ProviderId(row[4]),
        external_reference=row[5],
        money=Money(row[6], Currency(row[7])),
        created_at=row[8],
        status=Status(row[9]),
        failure_code=row[10],
        void_requested_at=row[11],
        finalized_at=row[12],
        traceparent=row[13],
        tenant_id=row[14],
        asked_by=row[15],
        metadata=row[16],
    )
