"""How a payment looks as JSON: in answers and in events alike, and in log lines."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from app.contexts.funds.public import TransactionId
from app.contexts.payments.domain.payment import Payment
from app.contexts.payments.domain.refund import Refund
from app.platform.http.shapes import Amount, Code, Time, timestamp

# JSON Schema gets the upper bound by hand: msgspec takes no bound of 2^63-1 itself.
PaymentStatus = Literal["PENDING", "APPROVED", "DECLINED", "FAILED"]
RefundStatus = Literal["PENDING", "COMPLETED", "REFUSED"]


class PaymentShape(Struct, frozen=True):
    """A payment. `failure_code` says why one was declined or failed."""

    payment_id: UUID
    transaction_id: UUID
    user_id: UUID
    provider_id: UUID
    external_reference: str
    amount: Amount
    currency: Code
    status: PaymentStatus
    failure_code: str | None
    created_at: Time
    finalized_at: Time | None


class RefundShape(Struct, frozen=True):
    """Something of a payment, given back by whom it was paid to. `failure_code` says why one was refused."""

    refund_id: UUID
    payment_id: UUID
    user_id: UUID
    amount: Amount
    currency: Code
    status: RefundStatus
    reason: str | None
    failure_code: str | None
    created_at: Time
    finalized_at: Time | None


class MoneyBackShape(Struct, frozen=True):
    """A payment's money, back in the wallet: it was declined or failed."""

    refund_id: UUID
    payment_id: UUID
    user_id: UUID
    amount: Amount
    currency: Code
    created_at: Time


def payment_fields(payment: Payment) -> dict[str, Any]:
    """What every log line of a payment says of it."""
    return {
        "user_id": payment.user_id,
        "payment_id": payment.id,
        "transaction_id": payment.transaction_id,
        "currency": payment.money.currency,
        "amount": payment.money.amount_minor,
        "provider_id": payment.provider_id,
        "external_reference": payment.external_reference,
    }


def payment_shape(payment: Payment) -> PaymentShape:
    """The payment as it is told to the world."""
    return PaymentShape(
        payment.id,
        payment.transaction_id,
        payment.user_id,
        payment.provider_id,
        payment.external_reference,
        payment.money.amount_minor,
        payment.money.currency,
        payment.status.value,
        payment.failure_code,
        timestamp(payment.created_at),
        None if payment.finalized_at is None else timestamp(payment.finalized_at),
    )


def money_back_shape(payment: Payment, refund_id: TransactionId, at: datetime) -> MoneyBackShape:
    """The payment's money as it came back at that time, as it is told to the world."""
    return MoneyBackShape(
        refund_id,
        payment.id,
        payment.user_id,
        payment.money.amount_minor,
        payment.money.currency,
        timestamp(at),
    )


def refund_shape(refund: Refund) -> RefundShape:
    """The refund as it is told to the world."""
    return RefundShape(
        refund.id,
        refund.payment_id,
        refund.user_id,
        refund.money.amount_minor,
        refund.money.currency,
        refund.status.value,
        refund.reason,
        refund.failure_code,
        timestamp(refund.created_at),
        None if refund.finalized_at is None else timestamp(refund.finalized_at),
    )


def refund_fields(refund: Refund) -> dict[str, Any]:
    """What every log line of a refund says of it; whose it is, the payment's lines do."""
    return {
        "refund_id": refund.id,
        "payment_id": refund.payment_id,
        "currency": refund.money.currency,
        "amount": refund.money.amount_minor,
    }
