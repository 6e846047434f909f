"""What the world is told of orders: that they are paid, and what becomes of them. One that never is, is not told of."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.contexts.ordering.domain.order import Order, OrderStatus
from app.kernel.ids import EventId


class EventType(StrEnum):
    """An event's type, which is its routing key too."""

    PAID = "order.paid"
    SHIPPED = "order.shipped"
    CANCELLED = "order.cancelled"
    COMPLETED = "order.completed"


_TOLD: Final = {
    OrderStatus.PAID: (EventType.PAID, 1),
    OrderStatus.SHIPPED: (EventType.SHIPPED, 2),
    OrderStatus.CANCELLED: (EventType.CANCELLED, 2),
    OrderStatus.COMPLETED: (EventType.COMPLETED, 3),
}


@dataclass(frozen=True, slots=True)
class Event:
    """A fact about an order, as it stood from then on. `sequence` is its place among those of the order."""

    id: EventId
    type: EventType
    sequence: int
    order: Order
    traceparent: str | None = None
    """Of the request that it comes of, if that had one."""


def told(order: Order, id: EventId, traceparent: str | None = None) -> Event:
    """The event that the order has come to where it stands now.

    Raises:
        ValueError: nothing is told of it: it is pending, or was cancelled before it was paid.
    """
    if order.status is OrderStatus.PENDING or order.paid_at is None:
        raise ValueError(f"an order that is {order.status} without ever having been paid is not told of")
    return Event(id, *_TOLD[order.status], order, traceparent)
