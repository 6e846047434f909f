"""Rows of carts as they are changed: one set-based statement a table, whatever the number of carts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from app.contexts.catalog.public import ProductId
from app.contexts.ordering.domain.cart import Cart, CartLine
from app.contexts.ordering.domain.ids import CartId, CheckoutId, ItemId
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import ONE_BY_ONE, bucket_of
from app.platform.postgres.pipeline import Call, Row, Statement, columns

# Owner by owner along the index of open carts, in the order that everybody locks carts in.
LOCK: Final = Statement("""
    SELECT c.user_id, c.id
    FROM (SELECT * FROM unnest(%b::smallint[], %b::uuid[]) AS r (bucket, user_id) ORDER BY r.bucket, r.user_id) r
    CROSS JOIN LATERAL (
        SELECT c.user_id, c.id FROM ordering.carts c
        WHERE c.bucket = r.bucket AND c.user_id = r.user_id AND c.tenant_id = %b::uuid AND c.status = 'active'
        FOR UPDATE
    ) c
""")
# Behind the lock, a statement of its own: it sees what the last holder has written.
READ: Final = Statement("""
    SELECT c.user_id, c.id, c.currency, c.checkout_id, i.id, i.product_id, i.title, i.price, i.qty
    FROM unnest(%b::smallint[], %b::uuid[]) AS r (bucket, user_id)
    CROSS JOIN LATERAL (
        SELECT * FROM ordering.carts c
        WHERE c.bucket = r.bucket AND c.user_id = r.user_id AND c.tenant_id = %b::uuid AND c.status = 'active'
        OFFSET 0
    ) c
    LEFT JOIN LATERAL (
        SELECT * FROM ordering.cart_items i
        WHERE i.bucket = c.bucket AND i.tenant_id = c.tenant_id AND i.user_id = c.user_id AND i.cart_id = c.id
        OFFSET 0
    ) i ON true
    ORDER BY i.created_at, i.id
""")
_OPEN: Final = Statement("""
    INSERT INTO ordering.carts (bucket, tenant_id, user_id, id, status, created_at, updated_at)
    VALUES (%b::smallint, %b::uuid, %b::uuid, %b::uuid, 'active', clock_timestamp(), clock_timestamp())
    ON CONFLICT (bucket, user_id) WHERE status = 'active' DO NOTHING
""")
_INSERT: Final = Statement("""
    INSERT INTO ordering.carts (tenant_id, status, created_at, updated_at, bucket, user_id, id, currency)
    SELECT %b::uuid, 'active', clock_timestamp(), clock_timestamp(), r.*
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::text[]) AS r (bucket, user_id, id, currency)
    ORDER BY r.bucket, r.user_id
""")
_UPDATE: Final = Statement(f"""
    UPDATE ordering.carts c SET currency = r.currency, updated_at = clock_timestamp()
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::text[]) AS r (bucket, user_id, id, currency)
    WHERE {ONE_BY_ONE}
        AND c.bucket = r.bucket AND c.user_id = r.user_id AND c.id = r.id AND c.tenant_id = %b::uuid
""")
_PUT: Final = Statement("""
    INSERT INTO ordering.cart_items AS i (tenant_id, created_at, bucket, user_id, cart_id, id, product_id, title, price,
                                          qty)
    SELECT %b::uuid, clock_timestamp(), r.*
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::bigint[], %b::bigint[])
        AS r
    ON CONFLICT (bucket, user_id, cart_id, id)
        DO UPDATE SET title = excluded.title, price = excluded.price, qty = excluded.qty
""")
_REMOVE: Final = Statement(f"""
    DELETE FROM ordering.cart_items i
    USING unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[]) AS r (bucket, user_id, cart_id, id)
    WHERE {ONE_BY_ONE}
        AND i.bucket = r.bucket AND i.user_id = r.user_id AND i.cart_id = r.cart_id AND i.id = r.id
        AND i.tenant_id = %b::uuid
""")


def lock(tenant_id: TenantId, owners: Collection[UserId]) -> list[Call]:
    """The statements that lock open carts, the owner and the id of each, and read them; `carts_of` reads the rows of
    the second.
    """
    of_them = *columns([(bucket_of(owner), owner) for owner in owners]), tenant_id
    return [(LOCK, of_them), (READ, of_them)]


def read(tenant_id: TenantId, owner: UserId) -> Call:
    """The statement that reads the owner's open cart; `carts_of` reads its rows."""
    return READ, ([bucket_of(owner)], [owner], tenant_id)


def carts_of(tenant_id: TenantId, rows: Sequence[Row]) -> Mapping[UserId, Cart]:
    """The carts of the rows of a read, of which there is one for each line, or one without any."""
    own: dict[UserId, list[Row]] = {}
    for row in rows:
        own.setdefault(UserId(row[0]), []).append(row)
    return {owner: _cart_of(tenant_id, owner, of_one) for owner, of_one in own.items()}


def open_cart(cart: Cart) -> Call:
    """The statement behind which its owner has an open cart: this one, or that which was there."""
    return _OPEN, (bucket_of(cart.owner), cart.tenant_id, cart.owner, cart.id)


def insert(tenant_id: TenantId, carts: Sequence[Cart]) -> Call:
    """The statement that writes new carts. It fails where an owner has another one that is open."""
    return _INSERT, (tenant_id, *columns([(*_key(cart), cart.currency) for cart in carts]))


def update(tenant_id: TenantId, carts: Sequence[Cart]) -> Call:
    """The statement that writes carts, which are locked, as they are now."""
    return _UPDATE, (*columns([(*_key(cart), cart.currency) for cart in carts]), tenant_id)


def change_lines(tenant_id: TenantId, carts: Sequence[tuple[Cart, Cart]]) -> Iterator[Call]:
    """The statements that write what differs between the lines of each cart before and after."""
    put = [
        (*_key(after), line.id, line.product_id, line.title, line.price_minor, line.qty)
        for before, after in carts
        for line in after.lines
        if line not in before.lines
    ]
    if put:
        yield _PUT, (tenant_id, *columns(put))
    removed = [
        (*_key(after), gone)
        for before, after in carts
        for gone in {line.id for line in before.lines} - {line.id for line in after.lines}
    ]
    if removed:
        yield _REMOVE, (*columns(removed), tenant_id)


def _cart_of(tenant_id: TenantId, owner: UserId, rows: Sequence[Row]) -> Cart:
    _, cart_id, currency, checkout_id, *_ = rows[0]
    lines = tuple(
        CartLine(ItemId(item_id), ProductId(product_id), title, price, qty)
        for _, _, _, _, item_id, product_id, title, price, qty in rows
        if item_id is not None
    )
    return Cart(
        CartId(cart_id),
        tenant_id,
        owner,
        currency and Currency(currency),
        checkout_id and CheckoutId(checkout_id),
        lines,
    )


def _key(cart: Cart) -> tuple[int, UserId, CartId]:
    return bucket_of(cart.owner), cart.owner, cart.id
