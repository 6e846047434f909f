"""How rows become what the use cases know."""

from collections.abc import Sequence
from typing import Any

from app.application.ports import Answer, KeyRecord
from app.domain.ids import PaymentId, ProviderId, TransactionId, UserId
from app.domain.money import Currency, Money
from app.domain.payments.payment import Payment, Status

PAYMENT_COLUMNS = """
    p.id, p.transaction_id, p.user_id, p.idempotency_key, p.provider_id, p.external_reference, p.amount, p.currency,
    p.created_at, p.status, p.failure_code, p.void_requested_at, p.finalized_at, p.traceparent
"""


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
    )


def key_record(row: Sequence[Any]) -> KeyRecord:
    """The record of a row of fingerprint, response_status, response_body, PAYMENT_COLUMNS."""
    fingerprint, status, body, *payment = row
    return KeyRecord(
        fingerprint,
        payment_of(payment) if payment[0] is not None else None,
        Answer(status, body) if status is not None else None,
    )
