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


# As the service writes them, with their first event. The pieces are on no shelf: nobody gets as far as that. Their
# seller is somebody: recovery calls off what nobody sells.
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
