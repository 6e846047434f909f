"""Take a line out of one's cart."""

from dataclasses import dataclass

from app.contexts.ordering.application.ports import Carts
from app.contexts.ordering.application.read_cart import Prices
from app.contexts.ordering.domain.cart import PricedCart
from app.contexts.ordering.domain.ids import ItemId
from app.kernel.ids import UserId
from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True)
class RemoveItem:
    """Takes lines out of carts."""

    carts: Carts
    prices: Prices

    async def __call__(self, tenant_id: TenantId, owner: UserId, item_id: ItemId) -> PricedCart:
        """The user's cart without that line.

        Raises:
            ItemNotFound, CheckoutInProgress: see `Cart.remove`.
            Unavailable: nobody knows whether it happened.
        """
        return await self.prices.of(await self.carts.change(tenant_id, owner, lambda cart: cart.remove(item_id)))
