"""How a payment looks as JSON: in answers and in events alike, and in log lines."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from app.domain.ids import TransactionId
from app.domain.money import MAX_MINOR
from app.domain.payments.payment import Payment

Time = Annotated[
    str,
    Meta(
        description="RFC 3339 in UTC, with microseconds.",
        examples=["2026-01-31T12:00:00.000000Z"],
        extra_json_schema={"format": "date-time"},
    ),
]
# JSON Schema gets the upper bound by hand: msgspec takes no bound of 2^63-1 itself.
Amount = Annotated[
    int,
    Meta(ge=1, description="Minor units (cents).", examples=[1250], extra_json_schema={"maximum": MAX_MINOR}),
]
Code = Annotated[
    str, Meta(description="ISO 4217, or one of the service's own.", extra_json_schema={"pattern": "^[A-Z]{3,5}$"})
]
PaymentStatus = Literal["PENDING", "APPROVED", "DECLINED", "FAILED"]


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
    """A payment's money, back in the wallet."""

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


def refund_shape(payment: Payment, refund_id: TransactionId, at: datetime) -> RefundShape:
    """The refund of the payment, made at that time, as it is told to the world."""
    return RefundShape(
        refund_id,
        payment.id,
        payment.user_id,
        payment.money.amount_minor,
        payment.money.currency,
        timestamp(at),
    )


@lru_cache(maxsize=1024)  # an answer and two events tell the same times
def timestamp(at: datetime) -> str:
    """The time as RFC 3339 in UTC, always with microseconds, so that times of equal length sort as text."""
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return utc.isoformat(timespec="microseconds")[:-6] + "Z"
