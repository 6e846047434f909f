"""The events of orders as the world reads them."""

from typing import Final

from app.contexts.ordering.adapters.http.views import order_view
from app.contexts.ordering.domain.events import Event
from app.platform.messaging import cloud_events
from app.platform.postgres.outbox_writer import NewEvent, OutboxWriter

ORDER_SCHEMA: Final = "urn:strongbox:schema:order:1"
OUTBOX: Final = OutboxWriter("ordering")


def document(event: Event) -> str:
    """The event's document, as JSON text: the order as it is shown to admins."""
    return cloud_events.document(
        id=event.id,
        type=event.type.value,
        subject=event.order.id,
        occurred_at=event.order.updated_at,
        sequence=event.sequence,
        schema=ORDER_SCHEMA,
        data=order_view(event.order),
        traceparent=event.traceparent,
        tenant_id=event.order.tenant_id,
    )


def outbox_row(event: Event) -> NewEvent:
    """The event as `OUTBOX` takes it, for the transaction in which the order came to where it stands."""
    order = event.order
    return NewEvent(
        order.buyer_id,
        event.id,
        order.id,
        event.sequence,
        event.type.value,
        document(event),
        order.updated_at,
        order.tenant_id,
    )
