"""The events of transfers and holds as the world reads them."""

from typing import Final

from app.contexts.funds.adapters.shapes import hold_event_shape, transfer_event_shape
from app.contexts.funds.domain.events import Event
from app.contexts.funds.domain.transfer import CompletedTransfer
from app.platform.messaging import cloud_events

TRANSFER_SCHEMA: Final = "urn:strongbox:schema:transfer:1"
HOLD_SCHEMA: Final = "urn:strongbox:schema:hold:1"


def document(event: Event) -> str:
    """The event's document, as JSON text."""
    is_transfer = isinstance(event.subject, CompletedTransfer)
    return cloud_events.document(
        id=event.id,
        type=event.type.value,
        subject=event.subject_id,
        occurred_at=event.occurred_at,
        sequence=event.sequence,
        schema=TRANSFER_SCHEMA if is_transfer else HOLD_SCHEMA,
        data=(
            transfer_event_shape(event.subject)
            if isinstance(event.subject, CompletedTransfer)
            else hold_event_shape(event.subject)
        ),
        traceparent=event.subject.traceparent if isinstance(event.subject, CompletedTransfer) else None,
    )
