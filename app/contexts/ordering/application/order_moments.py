"""What happened to an order, by its own rows."""

from collections.abc import Iterator

from app.contexts.ordering.application.story_records import KeyRecord
from app.contexts.ordering.domain.checkout import Checkout
from app.contexts.ordering.domain.order import Closing, Order, OrderStatus
from app.kernel.moments import Moment


def of_the_checkout(checkout: Checkout) -> Iterator[Moment]:
    """When it began and when it ended."""
    details = {"checkout_id": str(checkout.id), "expected_total": checkout.expected_total_minor}
    lines = f"{len(checkout.lines)} line{'s' if len(checkout.lines) != 1 else ''}"
    began = f"began: a cart of {lines}" if checkout.sale is None else "began: a sale from elsewhere"
    yield Moment(checkout.created_at, "checkout", began, details)
    if not checkout.is_pending:
        yield Moment(checkout.updated_at, "checkout", f"ended: {checkout.status}", {"checkout_id": str(checkout.id)})


def of_the_key(key: KeyRecord | None) -> Iterator[Moment]:
    """When the answer was stored under the buyer's key."""
    if key is not None and key.finalized_at is not None:
        what = f"the answer is stored under its key: {key.response_status}"
        yield Moment(key.finalized_at, "key", what, {"key_digest": key.key_digest})


def of_the_order(order: Order) -> Iterator[Moment]:
    """What became of it, step by step."""
    total = {"total": order.total_minor, "currency": order.currency}
    yield Moment(order.created_at, "order", "placed", total)
    if order.paid_at is not None:
        paid = {"hold_id": str(order.hold_id), "fee": order.fee_minor}
        yield Moment(order.paid_at, "order", "paid: the money is set aside", paid)
    if order.closing_at is not None:
        by = None if order.closing_by is None else str(order.closing_by)
        yield Moment(order.closing_at, "order", f"to {_closing_of(order)} it was begun", {"by": by})
    if order.shipped_at is not None:
        shipped = {"tracking": order.tracking}
        yield Moment(order.shipped_at, "order", "shipped: the money is its seller's", shipped)
    if order.status is OrderStatus.COMPLETED:
        yield Moment(order.updated_at, "order", "completed", {})
    if order.status is OrderStatus.CANCELLED:
        yield Moment(order.updated_at, "order", "cancelled: money and stock are back", {"reason": order.reason})


def _closing_of(order: Order) -> Closing:
    if order.closing is not None:
        return order.closing
    return Closing.CANCEL if order.status is OrderStatus.CANCELLED else Closing.SHIP
