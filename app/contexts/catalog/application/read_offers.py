"""Read what products are offered as."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from app.contexts.catalog.domain.ids import ProductId
from app.contexts.catalog.domain.offer import Offer
from app.kernel.principal import TenantId
from app.platform.by_tenant import by_tenant


@dataclass(frozen=True, slots=True)
class Asked:
    """Products that somebody asks for."""

    tenant_id: TenantId
    products: Set[ProductId]


class OfferReader(Protocol):
    """Products as they stand."""

    async def offers(self, tenant_id: TenantId, products: Collection[ProductId]) -> Mapping[ProductId, Offer]:
        """Those that there are, and were not deleted."""
        ...


class ReadOffers:
    """Reads for a batch, one round trip a tenant."""

    def __init__(self, reader: OfferReader) -> None:
        self._reader = reader

    async def __call__(self, asked: Sequence[Asked]) -> Sequence[Mapping[ProductId, Offer]]:
        return await by_tenant(asked, self._read)

    async def _read(self, tenant_id: TenantId, asked: Sequence[Asked]) -> Sequence[Mapping[ProductId, Offer]]:
        found = await self._reader.offers(tenant_id, set().union(*(each.products for each in asked)))
        return [{product: found[product] for product in each.products if product in found} for each in asked]


class AskOffers:
    """Asks the batched use case. It implements `Offers`."""

    def __init__(self, read: Callable[[Asked], Awaitable[Mapping[ProductId, Offer]]]) -> None:
        self._read = read

    async def offers(self, tenant_id: TenantId, products: Collection[ProductId]) -> Mapping[ProductId, Offer]:
        """See `Offers.offers`."""
        return await self._read(Asked(tenant_id, frozenset(products))) if products else {}
