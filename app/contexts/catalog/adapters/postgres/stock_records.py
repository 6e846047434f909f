"""What the database has of one product's stock, for operators."""

from collections.abc import Sequence
from typing import Final

from app.contexts.catalog.application.look_at_stock import StockedProduct, StockLine
from app.contexts.catalog.domain.ids import ProductId
from app.contexts.catalog.domain.reservation import LineStatus
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.inspection import found, inspecting, see_tenant
from app.platform.postgres.pipeline import Row

LOOK_S: Final = 5.0

IS_HOME: Final = """
    SELECT FROM catalog.products p WHERE p.tenant_id = %(tenant_id)s AND p.bucket = %(bucket)s AND p.id = %(id)s
"""
PRODUCT: Final = """
    SELECT p.id, p.tenant_id, p.seller_id, p.title, p.price, p.currency, p.quantity, p.reserved, p.sold, p.put_in,
           p.is_active, p.version, p.created_at, p.updated_at, p.deleted_at,
           (SELECT coalesce(sum(l.qty), 0)::bigint FROM catalog.reservation_lines l
            WHERE l.tenant_id = p.tenant_id AND l.product_id = p.id AND l.status = 'RESERVED'),
           clock_timestamp()
    FROM catalog.products p
    WHERE p.tenant_id = %(tenant_id)s AND p.bucket = %(bucket)s AND p.id = %(id)s
"""
_LINES: Final = """
    SELECT l.context, l.business_id, l.name, r.buyer_id, r.pinned, l.qty, l.status, r.created_at
    FROM (
        SELECT * FROM catalog.reservation_lines l
        WHERE l.tenant_id = %(tenant_id)s AND l.product_id = %(id)s AND {which}
        LIMIT %(most)s
    ) l
    JOIN catalog.reservations r ON r.tenant_id = l.tenant_id AND r.bucket = l.bucket
        AND r.business_id = l.business_id AND r.context = l.context AND r.name = l.name
    ORDER BY {order}
"""
_NEWEST: Final = "l.business_id DESC, l.context DESC, l.name DESC"
RESERVED: Final = _LINES.format(
    which="l.status = 'RESERVED' ORDER BY l.business_id, l.context, l.name",
    order="l.business_id, l.context, l.name",
)
LINES: Final = _LINES.format(which=f"true ORDER BY {_NEWEST}", order=_NEWEST)
OLDER: Final = _LINES.format(
    which=f"""
        (l.business_id, l.context, l.name) < (%(before)s::uuid, %(context)s::text, %(name)s::text) ORDER BY {_NEWEST}
    """,
    order=_NEWEST,
)


class PostgresStockRecords:
    """Implements `StockRecords`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def home(self, tenants: Sequence[TenantId], product_id: ProductId) -> TenantId | None:
        """See `StockRecords.home`."""
        async with inspecting(self._url, LOOK_S) as session:
            for tenant_id in tenants:
                known = _known(tenant_id, product_id)
                await see_tenant(session, tenant_id)
                if await found(session, IS_HOME, known):
                    return tenant_id
        return None

    async def stock(
        self, tenant_id: TenantId, product_id: ProductId, before: OperationId | None, most: int
    ) -> tuple[StockedProduct, Sequence[StockLine], Sequence[StockLine]] | None:
        """See `StockRecords.stock`."""
        known = {**_known(tenant_id, product_id), "most": most}
        async with inspecting(self._url, LOOK_S) as session:
            await see_tenant(session, tenant_id)
            products = await found(session, PRODUCT, known)
            if not products:
                return None
            reserved = await found(session, RESERVED, known)
            if before is None:
                lines = await found(session, LINES, known)
            else:
                place = {"before": before.business_id, "context": before.context, "name": before.name}
                lines = await found(session, OLDER, known | place)
        return StockedProduct(*products[0]), [*map(_line, reserved)], [*map(_line, lines)]


def _known(tenant_id: TenantId, product_id: ProductId) -> dict[str, object]:
    return {"tenant_id": tenant_id, "bucket": bucket_of(product_id), "id": product_id}


def _line(row: Row) -> StockLine:
    context, business_id, name, buyer, pinned, qty, status, at = row
    return StockLine(OperationId(context, business_id, name), buyer, pinned, qty, LineStatus(status), at)
