"""Events as the world reads them: CloudEvents 1.0 documents, written once, when the event is recorded."""

from typing import Literal

import msgspec

from app.adapters.shapes import PaymentShape, RefundShape, payment_shape, refund_shape, timestamp
from app.domain.events import Event

SOURCE = "/strongbox"
PAYMENT_SCHEMA = "urn:strongbox:schema:payment:1"
REFUND_SCHEMA = "urn:strongbox:schema:refund:1"

_encode = msgspec.json.Encoder().encode


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A CloudEvents 1.0 document in structured mode. `sequence` and `traceparent` are extension attributes."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str
    dataschema: str
    sequence: int
    traceparent: str | msgspec.UnsetType = msgspec.UNSET
    data: PaymentShape | RefundShape


def document(event: Event) -> str:
    """The event's document, as JSON text."""
    payment = event.payment
    schema: str = PAYMENT_SCHEMA
    data: PaymentShape | RefundShape = payment_shape(payment)
    if event.refund_id is not None:
        schema, data = REFUND_SCHEMA, refund_shape(payment, event.refund_id, event.occurred_at)
    return _encode(
        CloudEvent(
            specversion="1.0",
            id=str(event.id),
            source=SOURCE,
            type=event.type.value,
            subject=str(payment.id),
            time=timestamp(event.occurred_at),
            datacontenttype="application/json",
            dataschema=schema,
            sequence=event.sequence,
            traceparent=payment.traceparent or msgspec.UNSET,
            data=data,
        )
    ).decode()
