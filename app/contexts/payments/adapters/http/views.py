"""Payments and refunds as `/v1` shows them."""

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct, structs

from app.contexts.payments.adapters.shapes import PaymentShape, RefundShape, payment_shape, refund_shape
from app.contexts.payments.application.read_payments import SeenPayment
from app.contexts.payments.domain.payment import Payment
from app.contexts.payments.domain.refund import Refund
from app.kernel.money import MAX_MINOR


class SeenPaymentShape(PaymentShape, frozen=True):
    """A payment, with what was given back of it, and what was noted with it."""

    refunded: Annotated[
        int,
        Meta(ge=0, description="Minor units (cents): its COMPLETED refunds.", extra_json_schema={"maximum": MAX_MINOR}),
    ]
    metadata: Annotated[dict[str, str], Meta(description="What whoever asked for it has noted.")]


class PaymentsShape(Struct, frozen=True):
    """A page of payments, newest first. `next_cursor` asks for the next page."""

    payments: list[SeenPaymentShape]
    next_cursor: str | None


class RefundsShape(Struct, frozen=True):
    """A page of refunds, newest first. `next_cursor` asks for the next page."""

    refunds: list[RefundShape]
    next_cursor: str | None


def seen_shape(payment: Payment, refunded_minor: int) -> SeenPaymentShape:
    """The payment as `/v1` shows it."""
    plain = structs.asdict(payment_shape(payment))
    return SeenPaymentShape(**plain, refunded=refunded_minor, metadata=dict(payment.metadata or {}))


def payments_shape(page: Iterable[SeenPayment], next_cursor: str | None) -> PaymentsShape:
    """A page as it is answered."""
    return PaymentsShape([seen_shape(*seen) for seen in page], next_cursor)


def refunds_shape(page: Iterable[Refund], next_cursor: str | None) -> RefundsShape:
    """A page as it is answered."""
    return RefundsShape([*map(refund_shape, page)], next_cursor)
