"""An order's story on one time line: its checkout, its stock, its hold, what was done with it, its events."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from app.contexts.catalog.public import StockStories
from app.contexts.funds.public import HoldStories
from app.contexts.ordering.application.order_moments import of_the_checkout, of_the_key, of_the_order
from app.contexts.ordering.application.story_records import BookedOrder, StoryRecords
from app.contexts.ordering.domain.ids import OrderId
from app.contexts.ordering.domain.order import Order, OrderStatus
from app.kernel.errors import Unavailable
from app.kernel.moments import Moment
from app.kernel.principal import TenantId
from app.platform.operations.trail import Told, Trail, gaps, in_order, of_the_outbox, of_the_trail

LATE_S: Final = 10.0
"""What recovery has not taken so long after it was due has its reason told."""


class OrderUnknown(Exception):  # noqa: N818 -- it says what is not there
    """The tenant has no such order."""


@dataclass(frozen=True, slots=True)
class OrderStory:
    """An order, its moments (oldest first), what will come next, and what could not be looked at."""

    order: Order
    moments: Sequence[Moment]
    next: str | None
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class TellOrder:
    """Tells them. What of it another context or the audit trail cannot tell now is left out, with a note."""

    records: StoryRecords
    stock: StockStories
    holds: HoldStories
    trail: Trail
    recover_after_s: float
    ship_d: int
    complete_d: int

    async def __call__(self, tenant_id: TenantId, order_id: OrderId) -> OrderStory:
        """The order's story.

        Raises:
            OrderUnknown: the tenant has none with that id.
            Unavailable: the orders are out of reach.
        """
        booked = await self.records.order(tenant_id, order_id)
        if booked is None:
            raise OrderUnknown(f"there is no order {order_id}")
        order, notes = booked.order, list[str]()
        moments = [*of_the_checkout(booked.checkout), *of_the_key(booked.key), *of_the_order(order)]
        products = [item.product_id for item in order.items]
        reserved = self.stock.moments_of(tenant_id, booked.checkout.reservation, products)
        moments += await _looked_at("the stock", reserved, notes)
        if order.hold_id is not None:
            moments += await _looked_at("the hold", self.holds.moments_of(order.hold_id), notes)
        moments += await self._of_events(booked, notes)
        return OrderStory(order, in_order(moments), self._next(booked), notes)

    async def _of_events(self, booked: BookedOrder, notes: list[str]) -> list[Moment]:
        told = Told((), ())
        looked = True
        try:
            told = await self.trail.told(booked.order.id, [event.event_id for event in booked.events])
        except Unavailable as error:
            notes.append(f"the audit trail is not shown: {error}")
            looked = False
        if booked.order.paid_at is not None:  # of what never was nobody is told
            notes += gaps(booked.events, told, looked)
        return [*of_the_outbox(booked.events), *of_the_trail(told)]

    def _next(self, booked: BookedOrder) -> str | None:
        order = booked.order
        if order.closing is not None and order.closing_at is not None:
            began_s = (booked.now - order.closing_at).total_seconds()
            return f"to {order.closing} it goes on{self._by_recovery(began_s)}"
        match order.status:
            case OrderStatus.PENDING:
                began_s = (booked.now - booked.checkout.created_at).total_seconds()
                return f"its checkout goes on{self._by_recovery(began_s)}"
            case OrderStatus.PAID:
                ends = (order.paid_at or order.updated_at) + timedelta(days=self.ship_d)
                return f"its seller ships it, or either of them cancels it; recovery does on {ends:%Y-%m-%d %H:%M} UTC"
            case OrderStatus.SHIPPED:
                ends = (order.shipped_at or order.updated_at) + timedelta(days=self.complete_d)
                return f"its buyer completes it; recovery does on {ends:%Y-%m-%d %H:%M} UTC"
            case _:
                return None

    def _by_recovery(self, began_s: float) -> str:
        left_s = self.recover_after_s - began_s
        if left_s > 0:
            return f"; recovery ends it in {left_s:.0f} s"
        why = ": does `strongbox recover` run?" if left_s < -LATE_S else ""
        return f"; recovery ends it (due for {-left_s:.0f} s{why})"


async def _looked_at(what: str, looking: Awaitable[Sequence[Moment]], notes: list[str]) -> Sequence[Moment]:
    try:
        return await looking
    except Unavailable as error:
        notes.append(f"{what} is not shown: {error}")
        return ()
