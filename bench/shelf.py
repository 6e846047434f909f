"""A shelf of products, as SQL that makes them of a number: with their words, of some sellers, in some categories."""

import hashlib
from typing import Final
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo

from app.main.local.roles import Urls
from bench.filling_rows import CURRENCY

SELLERS: Final = 500
CATEGORIES: Final = 200
PIECES: Final = 1_000_000
"""Of each product, more than are bought of it."""


def product_id(nth: int) -> UUID:
    """The nth product, from 0."""
    return _numbered("product", nth)


def seller_id(nth: int) -> UUID:
    """The nth seller, from 0, of `SELLERS`."""
    return _numbered("seller", nth)


def _numbered(what: str, nth: int) -> UUID:
    return UUID(hashlib.md5(f"{what} {nth}".encode(), usedforsecurity=False).hexdigest())


def price_minor(nth: int) -> int:
    """What a piece of the nth product costs."""
    return 1_000 + nth * 7_919 % 9_000


# As the services write them; without the events of having been put there, which are long gone. Descriptions are as long
# as people write them. Keys by number: what they sort by says nothing.
_FILL: Final = f"""
    INSERT INTO catalog.categories (tenant_id, id, name, slug, created_at, updated_at)
    SELECT %(tenant)s, md5('category ' || n)::uuid, 'Category ' || n, 'category-' || n, now(), now()
    FROM generate_series(0, {CATEGORIES} - 1) n;

    INSERT INTO catalog.products (bucket, tenant_id, id, seller_id, category_id, title, description, condition, price,
        currency, quantity, put_in, images, specifications, shipping_info, featured, is_active, created_at, updated_at)
    SELECT get_byte(uuid_send(id), 15) & 15, %(tenant)s, id, md5('seller ' || n %% {SELLERS})::uuid,
           md5('category ' || n / 7 %% {CATEGORIES})::uuid, 'A lamp of kind ' || n %% 500,
           'Turned of wood, ' || n %% 90 || ' cm high. ' || repeat('It has been used with care. ', 12),
           CASE WHEN n %% 10 = 0 THEN 'fair' WHEN n %% 2 = 0 THEN 'good' ELSE 'new' END, 1000 + n * 7919 %% 9000,
           '{CURRENCY}', {PIECES}, {PIECES}, ARRAY['https://images.example.com/' || id], '{{"colour":"brown"}}', '{{}}',
           n %% 1000 = 0, true, at, at
    FROM (SELECT n, md5('product ' || n)::uuid AS id, now() - n * interval '1 s' AS at
          FROM generate_series(0::bigint, %(products)s - 1) n) numbered;

    INSERT INTO catalog.product_documents
    SELECT bucket, tenant_id, id,
           setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', description), 'B')
    FROM catalog.products;

    INSERT INTO catalog.product_lexemes
    SELECT d.bucket, d.tenant_id, d.product_id, l.lexeme, 0.6, p.created_at
    FROM catalog.product_documents d
    JOIN catalog.products p ON p.bucket = d.bucket AND p.id = d.product_id
    CROSS JOIN unnest(tsvector_to_array(d.document)) AS l (lexeme);
"""


def fill_shelf(urls: Urls, products: int) -> None:
    """Put so many products onto the empty shelf of the database's one tenant."""
    with psycopg.connect(
        as_the_tenant(urls).owner_url, autocommit=True, cursor_factory=psycopg.ClientCursor
    ) as connection:
        with connection.transaction():
            connection.execute(_FILL, {"tenant": tenant_of(urls), "products": products})
        connection.execute("VACUUM (ANALYZE)")


def tenant_of(urls: Urls) -> UUID:
    """The database's one tenant."""
    with psycopg.connect(urls.owner_url) as connection:
        found = connection.execute("SELECT id FROM identity.tenants WHERE name = 'default'").fetchone()
    assert found is not None
    return UUID(str(found[0]))


def as_the_tenant(urls: Urls, *settings: str) -> Urls:
    """The same database, whose owner sees and writes the tenant's rows, which are walled off from owners, too; with
    these settings of its sessions.
    """
    options = " ".join(f"-c {setting}" for setting in (f"app.current_tenant={tenant_of(urls)}", *settings))
    return urls._replace(owner_url=make_conninfo(urls.owner_url, options=options))
