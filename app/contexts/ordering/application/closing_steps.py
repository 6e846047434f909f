"""What is done with orders that are paid, step by step: each step of a batch is one transaction a tenant."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.contexts.catalog.public import ProductId
from app.contexts.ordering.application.books import Books, Changes, HeldOrders
from app.contexts.ordering.domain.checkout import reservation_of
from app.contexts.ordering.domain.events import told
from app.contexts.ordering.domain.ids import OrderId
from app.contexts.ordering.domain.order import Closing, Order, OrderStatus
from app.contexts.ordering.domain.refusals import NotTheirs, OrderNotFound
from app.kernel.ids import EventId, UserId
from app.kernel.new_ids import Ids
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.kernel.refusals import Refusal
from app.platform.by_tenant import by_tenant

ENDS = {Closing.SHIP: OrderStatus.SHIPPED, Closing.CANCEL: OrderStatus.CANCELLED}
"""Where an order stands once it is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """An order is to be shipped or cancelled, from here on for sure, unless its seller has no room for the money."""

    tenant_id: TenantId
    order_id: OrderId
    closing: Closing
    by: UserId | None
    """Whoever asks; None where its time is over."""
    by_admin: bool = False
    """Whether whoever asks sees the order, without being of it."""
    tracking: str | None = None
    reason: str | None = None

    def is_the_same_as(self, order: Order) -> bool:
        """Whether this is being done with the order, or was done."""
        if self.closing is Closing.SHIP:
            return (order.closing is self.closing or order.is_shipped) and order.tracking == self.tracking
        is_done = order.closing is self.closing or order.status is OrderStatus.CANCELLED
        return is_done and order.reason == self.reason


@dataclass(frozen=True, slots=True)
class Settle:
    """Funds have closed the order's hold for this: that is what it comes to, whatever somebody began."""

    tenant_id: TenantId
    order_id: OrderId
    as_: Closing
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """What was begun then cannot be: the order is paid, as before."""

    tenant_id: TenantId
    order_id: OrderId
    begun_at: datetime | None


@dataclass(frozen=True, slots=True)
class Complete:
    """The order has arrived, as its buyer says, or, with nobody, its time."""

    tenant_id: TenantId
    order_id: OrderId
    by: UserId | None
    traceparent: str | None = None
    by_admin: bool = False
    """Whether whoever asks sees the order, without being of it."""


Step = Start | Settle | Undo | Complete


@dataclass(frozen=True, slots=True)
class Standing:
    """An order as a step left it, and what the stock knows it by."""

    order: Order
    reservation: OperationId

    @property
    def products(self) -> Sequence[ProductId]:
        """What was bought."""
        return [item.product_id for item in self.order.items]


class TakeSteps:
    """Takes a batch of steps, in one transaction a tenant, one after the other. A refusal is a step's alone.

    Running a batch again with the same steps is safe, whatever became of it the first time.
    """

    def __init__(self, books: Books, ids: Ids) -> None:
        self._books = books
        self._ids = ids

    async def __call__(self, steps: Sequence[Step]) -> Sequence[Standing | Refusal]:
        return await by_tenant(steps, self._take)

    async def _take(self, tenant_id: TenantId, steps: Sequence[Step]) -> Sequence[Standing | Refusal]:
        async with self._books.begin(tenant_id) as work:
            held, changes = await work.lock_orders(dict.fromkeys(step.order_id for step in steps)), Changes()
            orders, results = dict(held.orders), list[Standing | Refusal]()
            for step in steps:
                try:
                    results.append(self._taken(step, orders, held, changes))
                except Refusal as refusal:
                    results.append(refusal)
            changes.changed_orders = [order for order in orders.values() if order is not held.orders[order.id]]
            await work.commit(changes)
        return results

    def _taken(self, step: Step, orders: dict[OrderId, Order], held: HeldOrders, changes: Changes) -> Standing:
        before = orders.get(step.order_id)
        if before is None:
            raise OrderNotFound
        match step:
            case Start():
                after = _started(step, before, held.now)
            case Settle():
                after = _settled(step, before, held.now)
            case Undo():
                is_still_that = before.closing is not None and before.closing_at == step.begun_at
                after = before.undo(held.now) if is_still_that else before
            case Complete():
                after = _completed(step, before, held.now)
        if after.status is not before.status:
            traceparent = step.traceparent if isinstance(step, Settle | Complete) else None
            changes.events.append(told(after, EventId(self._ids()), traceparent))
        orders[after.id] = after
        return Standing(after, held.sales.get(after.id) or reservation_of(after.checkout_id))


def _started(step: Start, order: Order, now: datetime) -> Order:
    if step.by is not None:
        may = (order.seller_id,) if step.closing is Closing.SHIP else (order.buyer_id, order.seller_id)
        _see_that_they_may(order, step.by, may, sees_it=step.by_admin)
    if step.is_the_same_as(order):
        return order
    return order.begin(step.closing, step.by, now, tracking=step.tracking, reason=step.reason)


def _settled(step: Settle, order: Order, now: datetime) -> Order:
    if order.status is not OrderStatus.PAID:
        return order
    meant = order if order.closing is step.as_ else replace(order.undo(now), closing=step.as_)
    return meant.ship(now) if step.as_ is Closing.SHIP else meant.cancel(now)


def _completed(step: Complete, order: Order, now: datetime) -> Order:
    if step.by is not None:
        _see_that_they_may(order, step.by, (order.buyer_id,), sees_it=step.by_admin)
    return order if order.status is OrderStatus.COMPLETED else order.complete(now)


def _see_that_they_may(order: Order, user: UserId, may: Sequence[UserId], *, sees_it: bool) -> None:
    """See whether the user is one of those who may.

    Raises:
        OrderNotFound: the order is between others, and none that they see.
        NotTheirs: it is for another side of it.
    """
    if user not in may:
        raise NotTheirs if sees_it or order.concerns(user) else OrderNotFound
