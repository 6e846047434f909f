"""Auctions, as SQL that opens them by number: for so long that nobody moves their end."""

import hashlib
from typing import Final
from uuid import UUID

import psycopg

from app.main.local.roles import Urls
from bench.filling_rows import CURRENCY
from bench.shelf import as_the_tenant, tenant_of

AUCTIONS: Final = 60
"""More than any run fills."""


def auction_id(nth: int) -> UUID:
    """The nth auction, from 0."""
    return UUID(hashlib.md5(f"auction {nth}".encode(), usedforsecurity=False).hexdigest())


# As the services write them, with their first event, and their pieces pinned. Their seller is a user, as recovery asks
# after sellers.
_FILL: Final = f"""
    INSERT INTO identity.users (tenant_id, id, role, created_at)
    VALUES (%(tenant)s, md5('seller')::uuid, 'seller', now());

    INSERT INTO auctions.auctions (bucket, tenant_id, id, seller_id, product_id, title, currency, starting_price, steps,
        extend_s, starts_at, planned_end, ends_at, status, price, bid_count, bidder_count, last_event_id, created_at,
        updated_at)
    SELECT get_byte(uuid_send(id), 15) & 15, %(tenant)s, id, md5('seller')::uuid, md5('piece ' || n)::uuid, 'A lamp',
           '{CURRENCY}', 1, '0:1', 120, now(), now() + interval '1 day', now() + interval '1 day', 'open', 1, 0, 0, 1,
           now(), now()
    FROM (SELECT n, md5('auction ' || n)::uuid AS id FROM generate_series(0::bigint, {AUCTIONS} - 1) n) numbered;

    INSERT INTO catalog.products (bucket, tenant_id, id, seller_id, title, description, condition, price, currency,
        quantity, put_in, reserved, images, specifications, shipping_info, featured, is_active, created_at, updated_at)
    SELECT get_byte(uuid_send(product_id), 15) & 15, tenant_id, product_id, seller_id, title, '', 'new', 1000, currency,
           1, 1, 1, '{{}}', '{{}}', '{{}}', false, true, now(), now() FROM auctions.auctions;
    INSERT INTO catalog.reservations (bucket, tenant_id, context, business_id, name, fingerprint, forbidden, pinned,
        created_at)
    SELECT bucket, tenant_id, 'auctions', id, 'reserve', sha256('a piece'), false, true, now() FROM auctions.auctions;
    INSERT INTO catalog.reservation_lines (bucket, tenant_id, context, business_id, name, product_id, qty, status,
        seller_id, title, price, currency)
    SELECT bucket, tenant_id, 'auctions', id, 'reserve', product_id, 1, 'RESERVED', seller_id, title, 1000, currency
    FROM auctions.auctions;

    INSERT INTO auctions.events (bucket, tenant_id, auction_id, event_id, type, document, created_at)
    SELECT bucket, tenant_id, id, 1, 'opened', '{{}}', now() FROM auctions.auctions;
"""


def open_auctions(urls: Urls) -> None:
    """Open them in the database's one tenant."""
    with psycopg.connect(
        as_the_tenant(urls).owner_url, autocommit=True, cursor_factory=psycopg.ClientCursor
    ) as connection:
        with connection.transaction():
            connection.execute(_FILL, {"tenant": tenant_of(urls)})
        connection.execute("VACUUM (ANALYZE) auctions.auctions, auctions.events")
