"""What the world is told about a payment."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from app.contexts.funds.public import TransactionId
from app.contexts.payments.domain.payment import Payment, Status
from app.kernel.ids import EventId


class EventType(StrEnum):
    """An event's type, which is its routing key too."""

    CREATED = "payment.created"
    COMPLETED = "payment.completed"
    FAILED = "payment.failed"
    REFUNDED = "refund.created"


_SEQUENCE = {EventType.CREATED: 1, EventType.COMPLETED: 2, EventType.FAILED: 2, EventType.REFUNDED: 3}


class Event(NamedTuple):
    """A fact about a payment, as the payment stood then. `refund_id` names a refund's transaction."""

    id: EventId
    type: EventType
    payment: Payment
    occurred_at: datetime
    refund_id: TransactionId | None = None

    @property
    def sequence(self) -> int:
        """Its place among the payment's events: 1 created, 2 completed or failed, 3 refunded."""
        return _SEQUENCE[self.type]


def created(payment: Payment, id: EventId) -> Event:
    """The payment was accepted and its money taken out of the wallet."""
    return Event(id, EventType.CREATED, payment, payment.created_at)


def settled(payment: Payment, id: EventId) -> Event:
    """The payment is final.

    Raises:
        ValueError: it is not.
    """
    if payment.finalized_at is None:
        raise ValueError(f"payment {payment.id} is not final")
    kind = EventType.COMPLETED if payment.status is Status.APPROVED else EventType.FAILED
    return Event(id, kind, payment, payment.finalized_at)


def refunded(payment: Payment, refund_id: TransactionId, id: EventId, at: datetime) -> Event:
    """The payment's money is back in the wallet."""
    return Event(id, EventType.REFUNDED, payment, at, refund_id)
