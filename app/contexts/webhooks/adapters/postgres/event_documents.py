"""The events of webhooks as the world reads them."""

from datetime import datetime
from typing import Final

from app.contexts.webhooks.adapters.shapes import DISABLED_SCHEMA, TEST_SCHEMA, DisabledData, TestedData
from app.contexts.webhooks.domain.events import DISABLED, TEST, Arrived, Disabled
from app.contexts.webhooks.domain.ids import EndpointId
from app.kernel.ids import EventId
from app.kernel.principal import TenantId
from app.platform.messaging import cloud_events
from app.platform.postgres.outbox_writer import NewEvent, OutboxWriter

OUTBOX: Final = OutboxWriter("webhooks")


def document(event: Disabled) -> str:
    """The event's document, as JSON text."""
    return cloud_events.document(
        id=event.id,
        type=DISABLED,
        subject=event.endpoint_id,
        occurred_at=event.at,
        sequence=event.sequence,
        schema=DISABLED_SCHEMA,
        data=DisabledData(event.endpoint_id, event.reason.value),
        tenant_id=event.tenant_id,
    )


def outbox_row(event: Disabled) -> NewEvent:
    """The event as `OUTBOX` takes it, for the transaction in which it happened."""
    return NewEvent(
        event.endpoint_id, event.id, event.endpoint_id, event.sequence, DISABLED, document(event), event.at,
        event.tenant_id,
    )  # fmt: skip


def event_of_a_test(event_id: EventId, tenant_id: TenantId, endpoint_id: EndpointId, at: datetime) -> Arrived:
    """The event of a test, which is published nowhere: it goes to this endpoint alone."""
    body = cloud_events.document(
        id=event_id,
        type=TEST,
        subject=endpoint_id,
        occurred_at=at,
        sequence=1,
        schema=TEST_SCHEMA,
        data=TestedData(endpoint_id),
        tenant_id=tenant_id,
    )
    return Arrived(event_id, tenant_id, TEST, endpoint_id, 1, at, body.encode())
