"""Orders of what was sold elsewhere: paid from the beginning, by a hold that is there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.contexts.catalog.public import Line, ReservedLine
from app.contexts.funds.public import HoldRef
from app.contexts.ordering.application.houses import Houses
from app.contexts.ordering.application.ports import Orders
from app.contexts.ordering.domain.checkout import Checkout, CheckoutStatus, fee_minor
from app.contexts.ordering.domain.events import Event, told
from app.contexts.ordering.domain.ids import CheckoutId, OrderId
from app.contexts.ordering.domain.order import Order
from app.kernel.ids import EventId, UserId
from app.kernel.new_ids import Ids
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.platform.people import Directory


@dataclass(frozen=True, slots=True)
class Sale:
    """What becomes of a sale."""

    checkout: Checkout
    order: Order
    event: Event


class SaleBooks(Protocol):
    """Sales, as they are written, and found."""

    async def find(self, tenant_id: TenantId, buyer: UserId, operation: OperationId) -> OrderId | None:
        """The order of the sale, if it was made.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...

    async def add(self, tenant_id: TenantId, buyer: UserId, operation: OperationId, sale: "MakeSale") -> OrderId:
        """The order of the sale, made now unless it was before; one transaction.

        Raises:
            Unavailable: nobody knows whether it happened.
        """
        ...


class MakeSale(Protocol):
    """Makes a sale as it is at the database's time."""

    def __call__(self, now: datetime) -> Sale:
        """The sale."""
        ...


class Sell:
    """Makes orders of sales. It implements `Sales`."""

    def __init__(
        self, books: SaleBooks, orders: Orders, show: Callable[[Order], bytes], ids: Ids, fee_bp: int,
        directory: Directory,
    ) -> None:  # fmt: skip
        self._books = books
        self._orders = orders
        self._show = show
        self._ids = ids
        self._fee_bp = fee_bp
        self._houses = Houses(directory)

    async def order_from_sale(
        self, operation: OperationId, tenant_id: TenantId, buyer: UserId, line: ReservedLine, hold: HoldRef
    ) -> OrderId:
        """See `Sales.order_from_sale`."""
        if buyer == line.seller_id:
            raise ValueError("nobody buys from oneself")
        house = await self._houses.of(tenant_id)

        def sale(now: datetime) -> Sale:
            checkout = Checkout(
                id=CheckoutId(self._ids()),
                tenant_id=tenant_id,
                buyer_id=buyer,
                cart_id=None,
                key=None,
                expected_total_minor=line.qty * line.price_minor,
                currency=line.currency,
                lines=(Line(line.product_id, line.qty),),
                created_at=now,
                updated_at=now,
                status=CheckoutStatus.PAID,
                sale=operation,
            )
            lines: Sequence[ReservedLine] = [line]
            (order,) = checkout.orders(lines, house, self._ids, now)
            paid = order.pay(hold.id, fee_minor(order.total_minor, self._fee_bp), now)
            return Sale(checkout, paid, told(paid, EventId(self._ids())))

        return await self._books.add(tenant_id, buyer, operation, sale)

    async def order_of(self, operation: OperationId, tenant_id: TenantId, buyer: UserId) -> OrderId | None:
        """See `Sales.order_of`."""
        return await self._books.find(tenant_id, buyer, operation)

    async def shown(self, tenant_id: TenantId, order_id: OrderId) -> bytes:
        """See `Sales.shown`."""
        order = await self._orders.one(tenant_id, order_id)
        if order is None:
            raise LookupError(f"there is no order {order_id}")
        return self._show(order)
