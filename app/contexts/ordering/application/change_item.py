"""Change how many pieces a line of one's cart has."""

from dataclasses import dataclass

from app.contexts.ordering.application.ports import Carts
from app.contexts.ordering.application.read_cart import Prices
from app.contexts.ordering.domain.cart import PricedCart
from app.contexts.ordering.domain.ids import ItemId
from app.kernel.ids import UserId
from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True)
class ChangeItem:
    """Changes lines of carts."""

    carts: Carts
    prices: Prices

    async def __call__(self, tenant_id: TenantId, owner: UserId, item_id: ItemId, qty: int) -> PricedCart:
        """The user's cart with so many pieces in that line.

        Raises:
            ItemNotFound, TotalTooLarge, CheckoutInProgress: see `Cart.change`.
            Unavailable: nobody knows whether it happened.
        """
        return await self.prices.of(await self.carts.change(tenant_id, owner, lambda cart: cart.change(item_id, qty)))
