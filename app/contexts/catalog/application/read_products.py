"""Read products by their ids: those that are asked for at once are read at once, whoever asks."""

from collections.abc import Collection, Mapping
from typing import Protocol

from app.contexts.catalog.domain.ids import ProductId
from app.contexts.catalog.domain.product import Product
from app.kernel.principal import TenantId


class ProductReader(Protocol):
    """Reads products."""

    async def some(self, tenant_id: TenantId, products: Collection[ProductId]) -> Mapping[ProductId, Product]:
        """Those of the products that there are: what was deleted is not among them.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...
