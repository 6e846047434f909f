"""What the world is told of cashback, and what is asked of whoever mints."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.contexts.rewards.domain.entry import Entry
from app.contexts.rewards.domain.ids import RefundId
from app.kernel.ids import EventId


class EventType(StrEnum):
    """An event's type, which is its routing key too."""

    EARNED = "cashback.earned"
    REVERSED = "cashback.reversed"
    MINT_REQUESTED = "mint.requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact about what was earned. `sequence` is its place among those of the entry, `amount` in base units."""

    id: EventId
    type: EventType
    sequence: int
    entry: Entry
    amount: int
    at: datetime
    refund_id: RefundId | None = None
    request_id: UUID | None = None
    address: str | None = None
    """Whereto it is to be minted."""
    traceparent: str | None = None
