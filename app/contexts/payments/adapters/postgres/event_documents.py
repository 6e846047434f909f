"""A payment's events as the world reads them."""

from app.contexts.payments.adapters.shapes import (
    MoneyBackShape,
    PaymentShape,
    money_back_shape,
    payment_shape,
    refund_shape,
)
from app.contexts.payments.domain.events import Event
from app.contexts.payments.domain.refund_events import RefundEvent
from app.platform.messaging import cloud_events

PAYMENT_SCHEMA = "urn:strongbox:schema:payment:1"
MONEY_BACK_SCHEMA = "urn:strongbox:schema:refund:1"
REFUND_SCHEMA = "urn:strongbox:schema:refund:2"


def document(event: Event) -> str:
    """The event's document, as JSON text."""
    payment = event.payment
    schema: str = PAYMENT_SCHEMA
    data: PaymentShape | MoneyBackShape = payment_shape(payment)
    if event.refund_id is not None:
        schema, data = MONEY_BACK_SCHEMA, money_back_shape(payment, event.refund_id, event.occurred_at)
    return cloud_events.document(
        id=event.id,
        type=event.type.value,
        subject=payment.id,
        occurred_at=event.occurred_at,
        sequence=event.sequence,
        schema=schema,
        data=data,
        traceparent=payment.traceparent,
    )


def refund_document(event: RefundEvent) -> str:
    """The document of a refund's event, as JSON text."""
    refund = event.refund
    return cloud_events.document(
        id=event.id,
        type=event.type.value,
        subject=refund.id,
        occurred_at=event.occurred_at,
        sequence=event.sequence,
        schema=REFUND_SCHEMA,
        data=refund_shape(refund),
        traceparent=refund.traceparent,
    )
