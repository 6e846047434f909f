"""The news of a run as the world reads it."""

from typing import Final

from app.contexts.reconciliation.adapters.shapes import RUN_SCHEMA, run_shape
from app.contexts.reconciliation.domain.run import Reconciliation
from app.kernel.ids import EventId
from app.platform.messaging import cloud_events
from app.platform.postgres.outbox_writer import NewEvent, OutboxWriter

OUTBOX: Final = OutboxWriter("reconciliation")
COMPLETED: Final = "reconciliation.completed"


def document(event_id: EventId, run: Reconciliation) -> str:
    """The event's document, as JSON text."""
    return cloud_events.document(
        id=event_id,
        type=COMPLETED,
        subject=run.id,
        occurred_at=run.created_at,
        sequence=1,
        schema=RUN_SCHEMA,
        data=run_shape(run),
        tenant_id=run.tenant_id,
    )


def outbox_row(event_id: EventId, run: Reconciliation) -> NewEvent:
    """The event as `OUTBOX` takes it, for the transaction in which it happened."""
    return NewEvent(
        run.tenant_id, event_id, run.id, 1, COMPLETED, document(event_id, run), run.created_at, run.tenant_id
    )
