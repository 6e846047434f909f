"""Products in PostgreSQL, for whoever reads them."""

from collections.abc import Collection, Mapping

from app.contexts.catalog.adapters.postgres.product_rows import product_of
from app.contexts.catalog.adapters.postgres.product_statements import SOME
from app.contexts.catalog.domain.ids import ProductId
from app.contexts.catalog.domain.product import Product
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.errors import reading
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows


class PostgresProductReader:
    """It implements `ProductReader`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def some(self, tenant_id: TenantId, products: Collection[ProductId]) -> Mapping[ProductId, Product]:
        """See `ProductReader.some`."""
        (rows,) = await self._rows.run(tenant_id, (SOME, ([*map(bucket_of, products)], [*products], tenant_id)))
        found = map(product_of, rows)
        return {product.id: product for product in found}
