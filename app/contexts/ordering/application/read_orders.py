"""Read orders: one by its id, or a page of those that somebody may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.contexts.ordering.application.ports import Orders, Place, Side
from app.contexts.ordering.domain.ids import OrderId
from app.contexts.ordering.domain.order import Order
from app.contexts.ordering.domain.refusals import OrderNotFound
from app.kernel.ids import UserId
from app.kernel.principal import Principal, Role


class OrderPage(NamedTuple):
    """Orders, newest first, and where the next page begins, if there is one."""

    orders: Sequence[Order]
    next: Place | None


def page_of(found: Sequence[Order], limit: int) -> OrderPage:
    """The page of orders that were looked for, one more than there may be on it."""
    if len(found) <= limit:
        return OrderPage(found, None)
    last = found[limit - 1]
    return OrderPage(found[:limit], Place(last.created_at, last.id))


@dataclass(frozen=True, slots=True)
class ReadOrders:
    """Reads orders for those who may: their buyers, their sellers, and the admins of the tenant."""

    orders: Orders

    async def one(self, asker: Principal, order_id: OrderId) -> Order:
        """The order with that id.

        Raises:
            OrderNotFound: the tenant has none, or it is between others.
            Unavailable: it cannot be known now.
        """
        order = await self.orders.one(asker.tenant_id, order_id)
        if order is None or not (asker.role is Role.ADMIN or order.concerns(UserId(asker.id))):
            raise OrderNotFound
        return order

    async def page(self, asker: Principal, side: Side | None, before: Place | None, limit: int) -> OrderPage:
        """Up to `limit` orders, from `before` on: those that the asker is in on that side, or else all that they see.

        Raises:
            Unavailable: it cannot be known now.
        """
        if side is None and asker.role is Role.ADMIN:
            found = await self.orders.all(asker.tenant_id, before, limit + 1)
        else:
            found = await self.orders.of(asker.tenant_id, UserId(asker.id), side, before, limit + 1)
        return page_of(found, limit)
