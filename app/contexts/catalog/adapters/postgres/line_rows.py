"""The lines of reservations, and who bought what by them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from app.contexts.catalog.adapters.postgres.reservation_rows import key
from app.contexts.catalog.application.stock_room import StandingLine
from app.contexts.catalog.domain.ids import ProductId
from app.contexts.catalog.domain.reservation import LineStatus
from app.contexts.catalog.public import ReservedLine
from app.kernel.ids import UserId
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import ONE_BY_ONE, bucket_of
from app.platform.postgres.pipeline import Call, Row, Statement, columns

INSERT: Final = Statement("""
    INSERT INTO catalog.reservation_lines (tenant_id, status, bucket, business_id, context, name, product_id, qty,
                                           seller_id, title, price, currency)
    SELECT %b::uuid, 'RESERVED', l.*
    FROM unnest(%b::smallint[], %b::uuid[], %b::text[], %b::text[], %b::uuid[], %b::bigint[], %b::uuid[], %b::text[],
                %b::bigint[], %b::text[]) l
""")

# Along their key, which OFFSET 0 leaves no choice about.
READ: Final = Statement("""
    SELECT k.context, k.business_id, k.name, l.product_id, l.qty, l.status
    FROM unnest(%b::smallint[], %b::uuid[], %b::text[], %b::text[]) AS k (bucket, business_id, context, name)
    CROSS JOIN LATERAL (
        SELECT l.product_id, l.qty, l.status FROM catalog.reservation_lines l
        WHERE l.tenant_id = %b::uuid AND l.bucket = k.bucket AND l.business_id = k.business_id AND l.context = k.context
            AND l.name = k.name
        OFFSET 0
    ) l
""")

SETTLE: Final = Statement(f"""
    UPDATE catalog.reservation_lines l SET status = r.status
    FROM unnest(%b::smallint[], %b::uuid[], %b::text[], %b::text[], %b::uuid[], %b::text[])
        AS r (bucket, business_id, context, name, product_id, status)
    WHERE {ONE_BY_ONE}
        AND l.tenant_id = %b::uuid AND l.bucket = r.bucket AND l.business_id = r.business_id AND l.context = r.context
        AND l.name = r.name AND l.product_id = r.product_id
""")

PURCHASE: Final = Statement("""
    INSERT INTO catalog.purchases AS u (tenant_id, purchased_at, bucket, buyer_id, product_id, times)
    SELECT %b::uuid, %b::timestamptz, p.*
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::bigint[]) AS p (bucket, buyer_id, product_id, times)
    ORDER BY p.bucket, p.buyer_id, p.product_id
    ON CONFLICT (bucket, buyer_id, product_id) DO UPDATE
        SET times = u.times + excluded.times,
            purchased_at = CASE WHEN excluded.times > 0 THEN excluded.purchased_at ELSE u.purchased_at END
""")

# Behind the one above, which has locked them in their order.
NOT_BOUGHT: Final = Statement("""
    DELETE FROM catalog.purchases u
    USING unnest(%b::smallint[], %b::uuid[], %b::uuid[]) AS p (bucket, buyer_id, product_id)
    WHERE u.tenant_id = %b::uuid AND u.bucket = p.bucket AND u.buyer_id = p.buyer_id AND u.product_id = p.product_id
        AND u.times <= 0
""")


def insert(tenant_id: TenantId, lines: Sequence[tuple[OperationId, ReservedLine]]) -> Call:
    """The statement that writes new lines."""
    rows = [
        (*key(of), line.product_id, line.qty, line.seller_id, line.title, line.price_minor, line.currency)
        for of, line in lines
    ]
    return INSERT, (tenant_id, *columns(rows))


def read(tenant_id: TenantId, operations: Collection[OperationId]) -> Call:
    """The statement that reads the lines of reservations; `lines_of` reads its rows."""
    return READ, (*columns([key(operation) for operation in operations]), tenant_id)


def lines_of(rows: Sequence[Row]) -> Mapping[OperationId, dict[ProductId, StandingLine]]:
    """The lines of each reservation that has any, by product."""
    found: dict[OperationId, dict[ProductId, StandingLine]] = {}
    for context, business_id, name, product_id, qty, status in rows:
        lines = found.setdefault(OperationId(context, business_id, name), {})
        lines[ProductId(product_id)] = StandingLine(qty, LineStatus(status))
    return found


def settle(tenant_id: TenantId, statuses: Mapping[tuple[OperationId, ProductId], LineStatus]) -> Call:
    """The statement that says where lines stand now."""
    rows = [(*key(of), product_id, status) for (of, product_id), status in statuses.items()]
    return SETTLE, (*columns(rows), tenant_id)


def purchase(tenant_id: TenantId, at: datetime, purchases: Mapping[tuple[UserId, ProductId], int]) -> Iterator[Call]:
    """The statements that note who has bought what so many times more; or fewer, where it was given back."""
    rows = [(bucket_of(buyer), buyer, product_id, times) for (buyer, product_id), times in purchases.items() if times]
    if rows:
        yield PURCHASE, (tenant_id, at, *columns(rows))
    if fewer := [tuple(key) for *key, times in rows if times < 0]:
        yield NOT_BOUGHT, (*columns(fewer), tenant_id)
