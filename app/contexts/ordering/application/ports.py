"""What ordering's use cases of carts and orders need of the outside."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from app.contexts.ordering.domain.cart import Cart
from app.contexts.ordering.domain.ids import OrderId
from app.contexts.ordering.domain.order import Order
from app.kernel.ids import UserId
from app.kernel.principal import TenantId


class Side(StrEnum):
    """Which side of an order somebody is on."""

    BUYER = "buyer"
    SELLER = "seller"


class Place(NamedTuple):
    """Where a page of orders begins, behind the order that was made then and has that id."""

    at: datetime
    id: OrderId


class Carts(Protocol):
    """The open carts of users. Whatever raises nothing else raises Unavailable where it cannot be told or done now."""

    async def open(self, tenant_id: TenantId, owner: UserId) -> Cart:
        """The user's open cart, made where there is none."""
        ...

    async def change(self, tenant_id: TenantId, owner: UserId, decide: Callable[[Cart], Cart]) -> Cart:
        """Make of the user's open cart what is decided. One change at a time, and none while it is checked out.

        Raises:
            Refusal: what `decide` refuses with.
        """
        ...


class Orders(Protocol):
    """Orders, as they are read. Everything raises Unavailable where it cannot be told now."""

    async def one(self, tenant_id: TenantId, order_id: OrderId) -> Order | None:
        """The tenant's order with that id."""
        ...

    async def of(
        self, tenant_id: TenantId, user_id: UserId, side: Side | None, before: Place | None, limit: int
    ) -> Sequence[Order]:
        """Up to `limit` orders that the user is in, on that side or on either, newest first."""
        ...

    async def all(self, tenant_id: TenantId, before: Place | None, limit: int) -> Sequence[Order]:
        """Up to `limit` of all of the tenant's, newest first."""
        ...
