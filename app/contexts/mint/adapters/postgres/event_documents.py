"""The events of minting as the world reads them."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from app.contexts.mint.domain.request import Outcome, RequestStatus
from app.platform.messaging import cloud_events
from app.platform.postgres.outbox_writer import NewEvent, OutboxWriter

COMPLETED: Final = "mint.completed"
FAILED: Final = "mint.failed"
COMPLETED_SCHEMA: Final = "urn:strongbox:schema:mint-completed:1"
FAILED_SCHEMA: Final = "urn:strongbox:schema:mint-failed:1"
OUTBOX: Final = OutboxWriter("mint")


class Completed(msgspec.Struct, frozen=True):
    """The tokens are on the chain. `amount` is in base units, as decimal digits."""

    request_id: UUID
    entry_id: UUID
    user_id: UUID
    amount: str
    tx_hash: str


class Failed(msgspec.Struct, frozen=True):
    """They will never be, for that request."""

    request_id: UUID
    entry_id: UUID
    user_id: UUID
    reason: str


def outbox_row(outcome: Outcome, event_id: UUID, at: datetime) -> NewEvent:
    """The event of a final outcome, as `OUTBOX` takes it, for the transaction in which it came to be."""
    request, minted = outcome.request, outcome.status is RequestStatus.MINTED
    of_whom = request.id, request.entry_id, request.user_id
    data: msgspec.Struct
    if minted:
        assert outcome.tx_hash is not None
        data = Completed(*of_whom, str(request.amount), outcome.tx_hash)
    else:
        assert outcome.reason is not None
        data = Failed(*of_whom, outcome.reason)
    kind = COMPLETED if minted else FAILED
    document = cloud_events.document(
        id=event_id,
        type=kind,
        subject=request.entry_id,
        occurred_at=at,
        sequence=request.place,
        schema=COMPLETED_SCHEMA if minted else FAILED_SCHEMA,
        data=data,
        traceparent=request.traceparent,
        tenant_id=request.tenant_id,
    )
    return NewEvent(request.user_id, event_id, request.entry_id, request.place, kind, document, at, request.tenant_id)
