"""Products as their stock is locked and written, and as they are offered."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from app.contexts.catalog.adapters.postgres.reservation_rows import key
from app.contexts.catalog.domain.ids import ProductId
from app.contexts.catalog.domain.offer import Offer
from app.contexts.catalog.domain.pile import Pile
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import ONE_BY_ONE, bucket_of
from app.platform.postgres.pipeline import Call, Row, Statement, columns

# Everybody locks products in this order. Those of reservations are found line by line along their key, which OFFSET 0
# leaves no choice about.
LOCK: Final = Statement("""
    SELECT p.id, p.seller_id, p.title, p.price, p.currency, p.quantity, p.reserved, p.sold,
           p.is_active AND p.deleted_at IS NULL
    FROM catalog.products p
    WHERE p.tenant_id = %b::uuid AND (p.bucket, p.id) IN (
        SELECT * FROM unnest(%b::smallint[], %b::uuid[])
        UNION ALL
        SELECT l.product_bucket, l.product_id
        FROM unnest(%b::smallint[], %b::uuid[], %b::text[], %b::text[]) AS k (bucket, business_id, context, name)
        CROSS JOIN LATERAL (
            SELECT l.product_bucket, l.product_id FROM catalog.reservation_lines l
            WHERE l.tenant_id = %b::uuid AND l.bucket = k.bucket AND l.business_id = k.business_id
                AND l.context = k.context AND l.name = k.name
            OFFSET 0
        ) l
    )
    ORDER BY p.bucket, p.id
    FOR NO KEY UPDATE OF p
""")

_NO_PRODUCTS: Final[Sequence[object]] = ([], [])
_NO_OPERATIONS: Final[Sequence[object]] = ([], [], [], [])

# What the constraints of the table do not allow fails with all of its batch: locked, it was counted right.
WRITE: Final = Statement(f"""
    UPDATE catalog.products p
    SET quantity = r.quantity, reserved = r.reserved, sold = r.sold, version = p.version + r.moves,
        updated_at = clock_timestamp()
    FROM unnest(%b::smallint[], %b::uuid[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[])
        AS r (bucket, id, quantity, reserved, sold, moves)
    WHERE {ONE_BY_ONE} AND p.tenant_id = %b::uuid AND p.bucket = r.bucket AND p.id = r.id
""")

OFFERS: Final = Statement("""
    SELECT p.id, p.seller_id, p.title, p.price, p.currency,
           CASE WHEN p.is_active THEN p.quantity - p.reserved ELSE 0 END, p.category_id
    FROM unnest(%b::smallint[], %b::uuid[]) AS k (bucket, id)
    CROSS JOIN LATERAL (
        SELECT * FROM catalog.products p WHERE p.tenant_id = %b::uuid AND p.bucket = k.bucket AND p.id = k.id OFFSET 0
    ) p
    WHERE p.deleted_at IS NULL
""")


def lock(tenant_id: TenantId, products: Collection[ProductId], operations: Collection[OperationId]) -> Call:
    """The statement that locks those of the products that there are, and all that the reservations of the operations
    are of; `piles_of` reads its rows."""
    of = columns([key(operation) for operation in operations]) or _NO_OPERATIONS
    return LOCK, (tenant_id, *(_keys(products) or _NO_PRODUCTS), *of, tenant_id)


def piles_of(rows: Sequence[Row]) -> Mapping[ProductId, Pile]:
    """What was locked."""
    return {ProductId(row[0]): Pile(*row) for row in rows}


def write(tenant_id: TenantId, piles: Sequence[Pile]) -> Call:
    """The statement that writes piles that moved. They are locked."""
    rows = [(bucket_of(p.product_id), p.product_id, p.quantity, p.reserved, p.sold, p.moves) for p in piles]
    return WRITE, (*columns(rows), tenant_id)


def offers(tenant_id: TenantId, products: Collection[ProductId]) -> Call:
    """The statement that reads what products are offered as; `offers_of` reads its rows."""
    return OFFERS, (*_keys(products), tenant_id)


def offers_of(rows: Sequence[Row]) -> Mapping[ProductId, Offer]:
    """What they are offered as."""
    return {ProductId(row[0]): Offer(*row) for row in rows}


def _keys(products: Collection[ProductId]) -> Sequence[object]:
    return columns([(bucket_of(product_id), product_id) for product_id in products])
