"""What the world is told about a refund."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from app.contexts.payments.domain.refund import Refund, RefundStatus
from app.kernel.ids import EventId


class RefundEventType(StrEnum):
    """An event's type, which is its routing key too. `refund.created` is a payment's own: what it took comes back."""

    REQUESTED = "refund.requested"
    COMPLETED = "refund.completed"
    REFUSED = "refund.refused"


_OF_STATUS = {
    RefundStatus.PENDING: RefundEventType.REQUESTED,
    RefundStatus.COMPLETED: RefundEventType.COMPLETED,
    RefundStatus.REFUSED: RefundEventType.REFUSED,
}


class RefundEvent(NamedTuple):
    """A fact about a refund, as the refund stood then."""

    id: EventId
    refund: Refund

    @property
    def type(self) -> RefundEventType:
        """What happened."""
        return _OF_STATUS[self.refund.status]

    @property
    def sequence(self) -> int:
        """Its place among the refund's events: 1 requested, 2 completed or refused."""
        return 2 if self.refund.is_final else 1

    @property
    def occurred_at(self) -> datetime:
        """When it happened."""
        return self.refund.finalized_at or self.refund.created_at
