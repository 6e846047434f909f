"""A payment's events as the world reads them."""

from app.contexts.payments.adapters.shapes import PaymentShape, RefundShape, payment_shape, refund_shape
from app.contexts.payments.domain.events import Event
from app.platform.messaging import cloud_events

PAYMENT_SCHEMA = "urn:strongbox:schema:payment:1"
REFUND_SCHEMA = "urn:strongbox:schema:refund:1"


def document(event: Event) -> str:
    """The event's document, as JSON text."""
    payment = event.payment
    schema: str = PAYMENT_SCHEMA
    data: PaymentShape | RefundShape = payment_shape(payment)
    if event.refund_id is not None:
        schema, data = REFUND_SCHEMA, refund_shape(payment, event.refund_id, event.occurred_at)
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
