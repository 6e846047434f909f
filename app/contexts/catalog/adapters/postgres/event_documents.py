"""The events of products as the world reads them."""

from typing import Final

from app.contexts.catalog.adapters.shapes import product_shape
from app.contexts.catalog.domain.product import Event
from app.platform.messaging import cloud_events
from app.platform.postgres.outbox_writer import NewEvent, OutboxWriter

PRODUCT_SCHEMA: Final = "urn:strongbox:schema:product:1"
OUTBOX: Final = OutboxWriter("catalog")


def document(event: Event) -> str:
    """The event's document, as JSON text: the product as it is shown."""
    product = event.product
    return cloud_events.document(
        id=event.id,
        type=event.type.value,
        subject=product.id,
        occurred_at=product.updated_at,
        sequence=product.edits,
        schema=PRODUCT_SCHEMA,
        data=product_shape(product),
        tenant_id=product.tenant_id,
    )


def outbox_row(event: Event) -> NewEvent:
    """The event as it is put into the outbox."""
    product = event.product
    return NewEvent(
        product.seller_id,
        event.id,
        product.id,
        product.edits,
        event.type.value,
        document(event),
        product.updated_at,
        product.tenant_id,
    )
