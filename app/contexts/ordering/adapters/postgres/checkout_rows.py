"""Rows of checkouts, and of the carts that they are made of."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from msgspec import json

from app.contexts.catalog.public import Line, ProductId
from app.contexts.ordering.application.books import FullCart
from app.contexts.ordering.domain.checkout import Checkout, CheckoutRef, CheckoutStatus
from app.contexts.ordering.domain.ids import CartId, CheckoutId
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import ONE_BY_ONE, bucket_of
from app.platform.postgres.pipeline import Call, Row, Statement, columns

CHECKOUT_COLUMNS: Final = """
    c.tenant_id, c.user_id, c.id, c.cart_id, c.key, c.expected_total, c.currency, c.lines, c.status, c.sale_context,
    c.sale_id, c.sale_name, c.traceparent, c.created_at, c.updated_at
"""

# Each along its key and one after the other, so that two batches never wait for each other's carts crosswise.
_LOCK_CARTS: Final = Statement("""
    SELECT k.user_id, k.id, k.currency, k.checkout_id
    FROM (SELECT * FROM unnest(%b::smallint[], %b::uuid[]) AS r (bucket, user_id) ORDER BY r.bucket, r.user_id) r
    CROSS JOIN LATERAL (
        SELECT k.user_id, k.id, k.currency, k.checkout_id FROM ordering.carts k
        WHERE k.bucket = r.bucket AND k.user_id = r.user_id AND k.tenant_id = %b::uuid AND k.status = 'active'
        FOR UPDATE
    ) k
""")

# A statement of its own, behind the lock: the lock's snapshot is from before whatever it waited for.
_LINES: Final = Statement("""
    SELECT r.user_id, i.product_id, i.qty
    FROM unnest(%b::smallint[], %b::uuid[]) AS r (bucket, user_id)
    CROSS JOIN LATERAL (
        SELECT k.id FROM ordering.carts k
        WHERE k.bucket = r.bucket AND k.user_id = r.user_id AND k.tenant_id = %b::uuid AND k.status = 'active'
        OFFSET 0
    ) k
    CROSS JOIN LATERAL (
        SELECT i.product_id, i.qty FROM ordering.cart_items i
        WHERE i.bucket = r.bucket AND i.user_id = r.user_id AND i.cart_id = k.id
        OFFSET 0
    ) i
    ORDER BY i.product_id
""")
_UNDER_WAY: Final = Statement(f"""
    SELECT {CHECKOUT_COLUMNS}
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[]) AS r (bucket, user_id, id)
    CROSS JOIN LATERAL (
        SELECT * FROM ordering.checkouts c
        WHERE c.bucket = r.bucket AND c.user_id = r.user_id AND c.id = r.id AND c.tenant_id = %b::uuid
        OFFSET 0
    ) c
""")

_INSERT: Final = Statement("""
    INSERT INTO ordering.checkouts (bucket, tenant_id, user_id, id, cart_id, key, expected_total, currency, lines,
        status, sale_context, sale_id, sale_name, traceparent, created_at, updated_at)
    SELECT r.bucket, r.tenant_id, r.user_id, r.id, r.cart_id, r.key, r.expected_total, r.currency, r.lines::json,
        r.status, r.sale_context, r.sale_id, r.sale_name, r.traceparent, r.created_at, r.updated_at
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::bigint[], %b::text[],
                %b::text[], %b::text[], %b::text[], %b::uuid[], %b::text[], %b::text[], %b::timestamptz[],
                %b::timestamptz[])
        AS r (bucket, tenant_id, user_id, id, cart_id, key, expected_total, currency, lines, status, sale_context,
              sale_id, sale_name, traceparent, created_at, updated_at)
    ON CONFLICT (bucket, user_id, sale_id, sale_context, sale_name) WHERE sale_id IS NOT NULL DO NOTHING
    RETURNING id
""")
_CHECK_OUT_CARTS: Final = Statement(f"""
    UPDATE ordering.carts k SET checkout_id = r.checkout_id
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[]) AS r (bucket, user_id, id, checkout_id)
    WHERE {ONE_BY_ONE}
        AND k.bucket = r.bucket AND k.user_id = r.user_id AND k.id = r.id AND k.tenant_id = %b::uuid
""")

_LOCK: Final = Statement(f"""
    SELECT {CHECKOUT_COLUMNS}
    FROM (
        SELECT * FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[]) AS r (bucket, user_id, id)
        ORDER BY r.bucket, r.user_id, r.id
    ) r
    CROSS JOIN LATERAL (
        SELECT * FROM ordering.checkouts c
        WHERE c.bucket = r.bucket AND c.user_id = r.user_id AND c.id = r.id AND c.tenant_id = %b::uuid
        FOR UPDATE
    ) c
""")
_END: Final = Statement(f"""
    UPDATE ordering.checkouts c SET status = r.status, updated_at = r.updated_at
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::text[], %b::timestamptz[])
        AS r (bucket, user_id, id, status, updated_at)
    WHERE {ONE_BY_ONE}
        AND c.bucket = r.bucket AND c.user_id = r.user_id AND c.id = r.id AND c.tenant_id = %b::uuid
""")
# A cart of which nothing came is as it was before.
_END_CARTS: Final = Statement(f"""
    UPDATE ordering.carts k
    SET status = CASE WHEN r.is_paid THEN 'checked_out' ELSE 'active' END,
        checkout_id = CASE WHEN r.is_paid THEN r.checkout_id END,
        updated_at = CASE WHEN r.is_paid THEN r.updated_at ELSE k.updated_at END
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::boolean[], %b::timestamptz[])
        AS r (bucket, user_id, id, checkout_id, is_paid, updated_at)
    WHERE {ONE_BY_ONE}
        AND k.bucket = r.bucket AND k.user_id = r.user_id AND k.id = r.id AND k.checkout_id = r.checkout_id
        AND k.tenant_id = %b::uuid
""")


def lock_carts(tenant_id: TenantId, buyers: Collection[UserId]) -> list[Call]:
    """The statements that lock the buyers' open carts, and read their lines; `carts_of` reads their rows."""
    of_them = (*columns([(bucket_of(buyer), buyer) for buyer in buyers]), tenant_id)
    return [(_LOCK_CARTS, of_them), (_LINES, of_them)]


def under_way(tenant_id: TenantId, carts: Sequence[Row]) -> Call | None:
    """The statement that reads the checkouts that locked carts are being checked out by, if there is any; `checkout_of`
    reads a row.
    """
    keys = [(bucket_of(owner), owner, checkout_id) for owner, _, _, checkout_id in carts if checkout_id is not None]
    return (_UNDER_WAY, (*columns(keys), tenant_id)) if keys else None


def carts_of(carts: Sequence[Row], lines: Sequence[Row], under_way: Sequence[Row]) -> Mapping[UserId, FullCart]:
    """The open carts by their owners."""
    lines_of: dict[UserId, list[Line]] = {}
    for owner, product_id, qty in lines:
        lines_of.setdefault(owner, []).append(Line(ProductId(product_id), qty))
    checkouts = {checkout.buyer_id: checkout for checkout in map(checkout_of, under_way)}
    return {
        owner: FullCart(CartId(id_), code and Currency(code), tuple(lines_of.get(owner, ())), checkouts.get(owner))
        for owner, id_, code, _ in carts
    }


def lock(tenant_id: TenantId, checkouts: Collection[CheckoutRef]) -> Call:
    """The statement that locks checkouts, each there once; `checkout_of` reads a row."""
    keys = columns([(bucket_of(ref.buyer_id), ref.buyer_id, ref.id) for ref in checkouts])
    return _LOCK, (*keys, tenant_id)


def lock_their_carts(tenant_id: TenantId, checkouts: Collection[CheckoutRef]) -> Call:
    """The statement that locks the carts of checkouts; `carts_of` does not read its rows."""
    buyers = dict.fromkeys(ref.buyer_id for ref in checkouts)
    return _LOCK_CARTS, (*columns([(bucket_of(buyer), buyer) for buyer in buyers]), tenant_id)


def insert(checkouts: Sequence[Checkout]) -> Call:
    """The statement that writes new checkouts; its rows are those that were: a sale is there once."""
    return _INSERT, columns([_values(checkout) for checkout in checkouts])


def check_out_carts(tenant_id: TenantId, checkouts: Iterable[Checkout]) -> Call:
    """The statement that says of carts by which checkout they are being checked out."""
    rows = [(bucket_of(c.buyer_id), c.buyer_id, c.cart_id, c.id) for c in checkouts]
    return _CHECK_OUT_CARTS, (*columns(rows), tenant_id)


def end(tenant_id: TenantId, checkouts: Sequence[Checkout]) -> list[Call]:
    """The statements that end checkouts, with their carts."""
    ends = [(bucket_of(c.buyer_id), c.buyer_id, c.id, c.status.value, c.updated_at) for c in checkouts]
    carts = [
        (bucket_of(c.buyer_id), c.buyer_id, c.cart_id, c.id, c.status is CheckoutStatus.PAID, c.updated_at)
        for c in checkouts
    ]
    return [(_END, (*columns(ends), tenant_id)), (_END_CARTS, (*columns(carts), tenant_id))]


def checkout_of(row: Row) -> Checkout:
    """The checkout in a row of `CHECKOUT_COLUMNS`."""
    (
        tenant_id, user_id, id_, cart_id, key, expected_total, currency, lines, status, context, business_id, name,
        traceparent, created_at, updated_at,
    ) = row  # fmt: skip
    return Checkout(
        id=CheckoutId(id_),
        tenant_id=TenantId(tenant_id),
        buyer_id=UserId(user_id),
        cart_id=cart_id and CartId(cart_id),
        key=key,
        expected_total_minor=expected_total,
        currency=Currency(currency),
        lines=tuple(Line(ProductId(UUID(line["product_id"])), line["qty"]) for line in lines),
        created_at=created_at,
        updated_at=updated_at,
        status=CheckoutStatus(status),
        sale=None if business_id is None else OperationId(context, business_id, name),
        traceparent=traceparent,
    )


def _values(c: Checkout) -> tuple[Any, ...]:
    sale = (c.sale.context, c.sale.business_id, c.sale.name) if c.sale else (None, None, None)
    return (
        bucket_of(c.buyer_id), c.tenant_id, c.buyer_id, c.id, c.cart_id, c.key, c.expected_total_minor, c.currency,
        json.encode(c.lines).decode(), c.status.value, *sale, c.traceparent, c.created_at, c.updated_at,
    )  # fmt: skip
