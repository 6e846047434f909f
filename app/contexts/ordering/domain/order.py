"""An order: what a buyer has of one seller out of one checkout. pending → paid → shipped → completed, or cancelled."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from app.contexts.catalog.public import ProductId
from app.contexts.funds.public import HoldId
from app.contexts.ordering.domain.ids import CheckoutId, OrderId
from app.contexts.ordering.domain.refusals import OrderState
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.kernel.principal import TenantId


class OrderStatus(StrEnum):
    """Where an order stands. Completed and cancelled are final."""

    PENDING = "pending"
    PAID = "paid"
    SHIPPED = "shipped"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Closing(StrEnum):
    """What is being done with an order that is paid: of the two, one gets it."""

    SHIP = "ship"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class OrderItem:
    """Pieces of a product, titled and priced as when they were reserved. The price, in minor units, is for each."""

    product_id: ProductId
    title: str
    qty: int
    price_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order. Amounts in minor units; times are the database's, in UTC.

    `total` is what the buyer pays. `fee` is taken out of it for the tenant's house, and fixed when it is paid.
    """

    id: OrderId
    tenant_id: TenantId
    checkout_id: CheckoutId
    buyer_id: UserId
    seller_id: UserId
    items: tuple[OrderItem, ...]
    total_minor: int
    fee_minor: int
    currency: Currency
    house_user_id: UserId
    """Whom the fee is booked to."""
    created_at: datetime
    updated_at: datetime
    status: OrderStatus = OrderStatus.PENDING
    hold_id: HoldId | None = None
    """The buyer's hold that pays for it."""
    tracking: str | None = None
    """What its seller said of shipping, the last time: it says nothing of an order that is not shipped."""
    closing: Closing | None = None
    closing_by: UserId | None = None
    """Whoever is doing it; nobody, where it is done by itself."""
    closing_at: datetime | None = None
    reason: str | None = None
    """Why it was cancelled, as whoever did said."""
    paid_at: datetime | None = None
    shipped_at: datetime | None = None

    @property
    def is_shipped(self) -> bool:
        """Whether it is on its way, or has arrived."""
        return self.status in (OrderStatus.SHIPPED, OrderStatus.COMPLETED)

    def concerns(self, user_id: UserId) -> bool:
        """Whether the order is this user's: as its buyer, or as its seller."""
        return user_id in (self.buyer_id, self.seller_id)

    def pay(self, hold_id: HoldId, fee_minor: int, now: datetime) -> "Order":
        """The order, paid by the hold. From here on the fee is fixed. What a house buys costs it all but its own fee;
        something is left for the seller, as a hold is captured for something.

        Raises:
            OrderState: it is not pending any more.
        """
        self._see_that_it_is(OrderStatus.PENDING)
        fee_minor = min(fee_minor, self.total_minor - 1) if self.buyer_id == self.house_user_id else fee_minor
        return replace(self, status=OrderStatus.PAID, hold_id=hold_id, fee_minor=fee_minor, paid_at=now, updated_at=now)

    def begin(
        self,
        closing: Closing,
        by: UserId | None,
        now: datetime,
        *,
        tracking: str | None = None,
        reason: str | None = None,
    ) -> "Order":
        """The order, about to be shipped or cancelled: nobody else can begin to.

        Raises:
            OrderState: it is not paid, or it is about to be one of them already.
        """
        self._see_that_it_is(OrderStatus.PAID)
        if self.closing is not None:
            raise OrderState(self.status)
        if closing is Closing.CANCEL:
            tracking = self.tracking
        return replace(
            self, closing=closing, closing_by=by, closing_at=now, tracking=tracking, reason=reason, updated_at=now
        )

    def undo(self, now: datetime) -> "Order":
        """The order as it was before somebody began to ship or to cancel it. What a seller said of shipping is kept:
        another may have captured the hold meanwhile, and then it is shipped as it was said.
        """
        return replace(self, closing=None, closing_by=None, closing_at=None, reason=None, updated_at=now)

    def ship(self, now: datetime) -> "Order":
        """The order, shipped, once the money is its seller's.

        Raises:
            OrderState: nobody began to ship it.
        """
        self._see_that_it_is(OrderStatus.PAID, Closing.SHIP)
        return replace(self, status=OrderStatus.SHIPPED, closing=None, shipped_at=now, updated_at=now)

    def cancel(self, now: datetime) -> "Order":
        """The order, cancelled: one that was never paid, or, once money and stock are back, one that was.

        Raises:
            OrderState: it is neither pending nor about to be cancelled.
        """
        if self.status is not OrderStatus.PENDING:
            self._see_that_it_is(OrderStatus.PAID, Closing.CANCEL)
        return replace(self, status=OrderStatus.CANCELLED, closing=None, tracking=None, updated_at=now)

    def complete(self, now: datetime) -> "Order":
        """The order, completed: it has arrived.

        Raises:
            OrderState: it is not on its way.
        """
        self._see_that_it_is(OrderStatus.SHIPPED)
        return replace(self, status=OrderStatus.COMPLETED, updated_at=now)

    def _see_that_it_is(self, status: OrderStatus, closing: Closing | None = None) -> None:
        if self.status is not status or (closing and self.closing is not closing):
            raise OrderState(self.status)
