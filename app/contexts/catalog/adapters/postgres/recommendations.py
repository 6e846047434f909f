"""What might please somebody, by what others bought, in PostgreSQL."""

from collections.abc import Sequence
from typing import Final

from app.contexts.catalog.domain.ids import ProductId
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.errors import reading
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

LAST_PURCHASES: Final = 20
BUYERS_OF_EACH: Final = 50
PURCHASES_OF_EACH: Final = 50
MOST: Final = 200
"""As many as a page may have."""

# Bounded at each step, whatever how many bought what; what one bought oneself, or sells, is left out.
OTHERS_BOUGHT: Final = Statement(f"""
    WITH own AS MATERIALIZED (
        SELECT u.product_id FROM catalog.purchases u
        WHERE u.bucket = %b::smallint AND u.tenant_id = %b::uuid AND u.buyer_id = %b::uuid
        ORDER BY u.purchased_at DESC LIMIT {LAST_PURCHASES}
    ), others AS MATERIALIZED (
        SELECT DISTINCT b.buyer_id
        FROM own CROSS JOIN LATERAL (
            SELECT u.buyer_id FROM catalog.purchases u
            WHERE u.tenant_id = %b::uuid AND u.product_id = own.product_id
            ORDER BY u.purchased_at DESC LIMIT {BUYERS_OF_EACH}
        ) b
        WHERE b.buyer_id <> %b::uuid
    ), bought AS MATERIALIZED (
        SELECT (get_byte(uuid_send(b.product_id), 15) & 15)::smallint AS bucket, b.product_id, count(*) AS buyers
        FROM others CROSS JOIN LATERAL (
            SELECT u.product_id FROM catalog.purchases u
            WHERE u.tenant_id = %b::uuid AND u.buyer_id = others.buyer_id
            ORDER BY u.purchased_at DESC LIMIT {PURCHASES_OF_EACH}
        ) b
        GROUP BY b.product_id
    )
    SELECT p.id
    FROM bought
    JOIN catalog.products p ON p.bucket = bought.bucket AND p.id = bought.product_id
    WHERE p.tenant_id = %b::uuid AND p.deleted_at IS NULL AND p.is_active AND p.seller_id <> %b::uuid
        AND NOT EXISTS (
            SELECT FROM catalog.purchases u
            WHERE u.bucket = %b::smallint AND u.buyer_id = %b::uuid AND u.product_id = p.id AND u.tenant_id = %b::uuid
        )
    ORDER BY bought.buyers DESC, p.created_at DESC, p.id DESC
    LIMIT {MOST}
""")

FEATURED: Final = Statement(f"""
    SELECT p.id FROM catalog.products p
    WHERE p.tenant_id = %b::uuid AND p.deleted_at IS NULL AND p.is_active AND p.featured
    ORDER BY p.created_at DESC, p.id DESC
    LIMIT {MOST}
""")


class PostgresRecommendations:
    """It implements `Recommendations`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def of(self, tenant_id: TenantId, buyer: UserId) -> Sequence[ProductId]:
        """See `Recommendations.of`."""
        number = bucket_of(buyer)
        values = (
            number, tenant_id, buyer, tenant_id, buyer, tenant_id, tenant_id, buyer, number, buyer, tenant_id,
        )  # fmt: skip
        bought, featured = await self._rows.run(tenant_id, (OTHERS_BOUGHT, values), (FEATURED, (tenant_id,)))
        return [product_id for (product_id,) in bought or featured]
