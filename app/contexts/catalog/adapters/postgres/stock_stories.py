"""What the catalogue has of one reservation."""

from collections.abc import Collection, Sequence
from typing import Final

from app.contexts.catalog.domain.ids import ProductId
from app.kernel.moments import Moment
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.inspection import found, inspecting, see_tenant

LOOK_S: Final = 5.0

LINES: Final = """
    SELECT r.created_at, r.forbidden, r.refused IS NOT NULL, l.product_id, l.qty, l.status
    FROM catalog.reservations r
    LEFT JOIN catalog.reservation_lines l ON l.bucket = r.bucket AND l.tenant_id = r.tenant_id
        AND l.business_id = r.business_id AND l.context = r.context AND l.name = r.name
        AND l.product_id = ANY(%(products)s)
    WHERE r.bucket = %(bucket)s AND r.tenant_id = %(tenant_id)s AND r.business_id = %(business_id)s
        AND r.context = %(context)s AND r.name = %(name)s
    ORDER BY l.product_id
"""
_NOW: Final = {"RESERVED": "still so", "TAKEN": "since sold", "RETURNED": "since given back"}


class PostgresStockStories:
    """Implements `StockStories`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def moments_of(
        self, tenant_id: TenantId, operation: OperationId, products: Collection[ProductId]
    ) -> Sequence[Moment]:
        """See `StockStories.moments_of`."""
        known = {
            "tenant_id": tenant_id,
            "bucket": bucket_of(operation.business_id),
            "business_id": operation.business_id,
            "context": operation.context,
            "name": operation.name,
            "products": [*products],
        }
        async with inspecting(self._url, LOOK_S) as session:
            await see_tenant(session, tenant_id)
            rows = await found(session, LINES, known)
        moments = []
        for at, is_forbidden, is_refused, product_id, qty, status in rows:
            if is_forbidden or is_refused:
                what = "the reservation is forbidden for good" if is_forbidden else "refused: there was not enough"
                moments.append(Moment(at, "stock", what))
            elif product_id is not None:
                what = f"reserved {qty}, {_NOW[status]}"
                moments.append(Moment(at, "stock", what, {"product_id": str(product_id)}))
        return moments
