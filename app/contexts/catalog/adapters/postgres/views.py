"""How often products were looked at, in PostgreSQL."""

from collections.abc import Mapping
from typing import Final

from app.contexts.catalog.domain.ids import ProductId
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.errors import writing
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

# In one order, so that two processes that count the same products do not wait for each other in a ring.
ADD: Final = Statement("""
    INSERT INTO catalog.product_views AS v (bucket, tenant_id, product_id, views)
    SELECT r.bucket, %b::uuid, r.product_id, r.views
    FROM unnest(%b::smallint[], %b::uuid[], %b::bigint[]) AS r (bucket, product_id, views)
    ORDER BY r.bucket, r.product_id
    ON CONFLICT (bucket, product_id) DO UPDATE SET views = v.views + EXCLUDED.views
""")


class PostgresViews:
    """It implements `Views`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @writing
    async def add(self, tenant_id: TenantId, views: Mapping[ProductId, int]) -> None:
        """See `Views.add`."""
        values = (tenant_id, [*map(bucket_of, views)], [*views], [*views.values()])
        await self._rows.run(tenant_id, (ADD, values))
