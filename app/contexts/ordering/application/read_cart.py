"""Read one's cart, at today's prices."""

from dataclasses import dataclass

from app.contexts.catalog.public import Offer, Offers
from app.contexts.ordering.application.ports import Carts
from app.contexts.ordering.domain.cart import Cart, PricedCart
from app.kernel.ids import UserId
from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True)
class Prices:
    """What carts cost now."""

    offers: Offers

    async def of(self, cart: Cart, *read: Offer) -> PricedCart:
        """The cart at today's prices, some of which whoever asks has read already.

        Raises:
            Unavailable: they cannot be known now.
        """
        known = {offer.product_id: offer for offer in read}
        unknown = [product_id for product_id in cart.products if product_id not in known]
        return cart.priced(known | dict(await self.offers.offers(cart.tenant_id, unknown)))


@dataclass(frozen=True, slots=True)
class ReadCart:
    """Reads carts."""

    carts: Carts
    prices: Prices

    async def __call__(self, tenant_id: TenantId, owner: UserId) -> PricedCart:
        """The user's open cart, which is there from now on.

        Raises:
            Unavailable: it cannot be known now.
        """
        return await self.prices.of(await self.carts.open(tenant_id, owner))
