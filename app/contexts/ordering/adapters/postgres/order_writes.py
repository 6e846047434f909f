"""Orders as checking out and closing lock and write them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from app.contexts.ordering.adapters.postgres.order_rows import ORDER_COLUMNS, items_text
from app.contexts.ordering.domain.checkout import CheckoutRef
from app.contexts.ordering.domain.ids import OrderId
from app.contexts.ordering.domain.order import Order
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import ONE_BY_ONE, bucket_of
from app.platform.postgres.pipeline import Call, Row, Statement, columns

_OF_CHECKOUTS: Final = Statement(f"""
    SELECT {ORDER_COLUMNS}
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[]) AS r (bucket, user_id, checkout_id)
    CROSS JOIN LATERAL (
        SELECT * FROM ordering.orders o
        WHERE o.bucket = r.bucket AND o.user_id = r.user_id AND o.checkout_id = r.checkout_id
            AND o.tenant_id = %b::uuid
        OFFSET 0
    ) o
    ORDER BY o.id
""")
# The index is not of the table's key; the order that rows are locked in is.
_LOCK: Final = Statement(f"""
    SELECT {ORDER_COLUMNS}
    FROM ordering.orders o
    WHERE o.tenant_id = %b::uuid AND o.id = ANY(%b::uuid[])
    ORDER BY o.bucket, o.user_id, o.id
    FOR UPDATE OF o
""")
_SALES: Final = Statement("""
    SELECT o.id, c.sale_context, c.sale_id, c.sale_name
    FROM ordering.orders o
    JOIN ordering.checkouts c ON c.bucket = o.bucket AND c.user_id = o.user_id AND c.id = o.checkout_id
    WHERE o.tenant_id = %b::uuid AND o.id = ANY(%b::uuid[]) AND c.sale_id IS NOT NULL
""")
_INSERT: Final = Statement("""
    INSERT INTO ordering.orders (bucket, tenant_id, user_id, id, checkout_id, seller_id, items, total, fee, currency,
        status, hold_id, house_user_id, created_at, updated_at, paid_at)
    SELECT r.bucket, r.tenant_id, r.user_id, r.id, r.checkout_id, r.seller_id, r.items::json, r.total, r.fee,
        r.currency, r.status, r.hold_id, r.house_user_id, r.created_at, r.updated_at, r.paid_at
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::bigint[],
                %b::bigint[], %b::text[], %b::text[], %b::uuid[], %b::uuid[], %b::timestamptz[], %b::timestamptz[],
                %b::timestamptz[])
        AS r (bucket, tenant_id, user_id, id, checkout_id, seller_id, items, total, fee, currency, status, hold_id,
              house_user_id, created_at, updated_at, paid_at)
""")
# By the id alone: a buyer's other orders are not looked at, whichever index looks best.
_UPDATE: Final = Statement(f"""
    UPDATE ordering.orders o
    SET status = r.status, fee = r.fee, hold_id = r.hold_id, tracking = r.tracking, closing = r.closing,
        closing_by = r.closing_by, closing_at = r.closing_at, reason = r.reason, updated_at = r.updated_at,
        paid_at = r.paid_at, shipped_at = r.shipped_at
    FROM unnest(%b::smallint[], %b::uuid[], %b::text[], %b::bigint[], %b::uuid[], %b::text[], %b::text[], %b::uuid[],
                %b::timestamptz[], %b::text[], %b::timestamptz[], %b::timestamptz[], %b::timestamptz[])
        AS r (bucket, id, status, fee, hold_id, tracking, closing, closing_by, closing_at, reason, updated_at, paid_at,
              shipped_at)
    WHERE {ONE_BY_ONE} AND o.tenant_id = %b::uuid AND o.id = r.id
""")


def of_checkouts(tenant_id: TenantId, checkouts: Collection[CheckoutRef]) -> Call:
    """The statement that reads the orders of checkouts, which are locked, in the order of their ids."""
    keys = columns([(bucket_of(ref.buyer_id), ref.buyer_id, ref.id) for ref in checkouts])
    return _OF_CHECKOUTS, (*keys, tenant_id)


def lock(tenant_id: TenantId, orders: Collection[OrderId]) -> list[Call]:
    """The statements that lock orders, each there once, and read by which operation those were sold that were sold
    elsewhere: `order_of` and `sales_of` read their rows.
    """
    of_them = tenant_id, list(orders)
    return [(_LOCK, of_them), (_SALES, of_them)]


def sales_of(rows: Sequence[Row]) -> Mapping[OrderId, OperationId]:
    """What the stock knows orders by."""
    return {OrderId(id_): OperationId(context, business_id, name) for id_, context, business_id, name in rows}


def insert(orders: Sequence[Order]) -> Call:
    """The statement that writes new orders."""
    return _INSERT, columns([
        (
            bucket_of(o.buyer_id), o.tenant_id, o.buyer_id, o.id, o.checkout_id, o.seller_id, items_text(o.items),
            o.total_minor, o.fee_minor, o.currency, o.status.value, o.hold_id, o.house_user_id, o.created_at,
            o.updated_at, o.paid_at,
        )
        for o in orders
    ])  # fmt: skip


def update(tenant_id: TenantId, orders: Sequence[Order]) -> Call:
    """The statement that writes orders as they are now."""
    values = columns([
        (
            bucket_of(o.buyer_id), o.id, o.status.value, o.fee_minor, o.hold_id, o.tracking,
            o.closing and o.closing.value, o.closing_by, o.closing_at, o.reason, o.updated_at, o.paid_at, o.shipped_at,
        )
        for o in orders
    ])  # fmt: skip
    return _UPDATE, (*values, tenant_id)
