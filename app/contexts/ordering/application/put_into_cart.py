"""Put pieces of a product into one's cart."""

from dataclasses import dataclass

from app.contexts.catalog.public import Offers, ProductId
from app.contexts.ordering.application.ports import Carts
from app.contexts.ordering.application.read_cart import Prices
from app.contexts.ordering.domain.cart import PricedCart
from app.contexts.ordering.domain.ids import ItemId
from app.contexts.ordering.domain.refusals import ProductNotFound
from app.kernel.ids import UserId
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True)
class PutIntoCart:
    """Puts products into carts. How many of them there are is not looked at: a cart promises nothing."""

    carts: Carts
    offers: Offers
    prices: Prices
    ids: Ids

    async def __call__(self, tenant_id: TenantId, owner: UserId, product_id: ProductId, qty: int) -> PricedCart:
        """The user's cart with so many pieces more of the product.

        Raises:
            ProductNotFound: there is none.
            TooMany, CartFull, TotalTooLarge, CheckoutInProgress, OwnProduct, CurrencyMixed: see `Cart.put`.
            Unavailable: nobody knows whether it happened.
        """
        offer = (await self.offers.offers(tenant_id, [product_id])).get(product_id)
        if offer is None:
            raise ProductNotFound
        item_id = ItemId(self.ids())
        return await self.prices.of(
            await self.carts.change(tenant_id, owner, lambda cart: cart.put(item_id, offer, qty)), offer
        )
