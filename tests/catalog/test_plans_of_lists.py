"""Lists are read by index, whatever is asked for, out of 100,000 products beside some of another tenant's."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import md5
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg
import pytest

from app.contexts.catalog.adapters.postgres import (
    categories,
    listing_statements,
    product_statements,
    recommendations,
    views,
)
from app.contexts.catalog.adapters.postgres.listing_statements import Search
from app.contexts.catalog.adapters.postgres.listings import PostgresListings
from app.contexts.catalog.application.browse import Filters, Position, Sort, Wanted
from app.contexts.catalog.domain.ids import CategoryId
from app.contexts.catalog.domain.product import Condition
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.kernel.principal import TenantId
from app.main.local.roles import Urls
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.pool import make_pool
from app.platform.postgres.tenancy import TenantRows
from tests.plans import pages_of, plan_of

PRODUCTS = 100_000
FOREIGN = 5_000
LIMIT = 20
TENANT, OTHER_TENANT = TenantId(uuid4()), TenantId(uuid4())
RARE, COMMON = "word7", "thing"

# Of 500 sellers and 200 categories each has as many; one product of 1,000 is featured, one of 100 poor and one of 50 in
# euros; one of 500 has a rare word, and all have a common one. Keys by number: what they sort by says nothing.
_FILL = f"""
    CREATE FUNCTION pg_temp.numbered(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
        AS $$ SELECT md5(kind || n)::uuid $$;
    INSERT INTO catalog.products (bucket, tenant_id, id, seller_id, category_id, title, description, condition, price,
        currency, quantity, reserved, put_in, images, specifications, shipping_info, featured, is_active, created_at,
        updated_at)
    SELECT get_byte(uuid_send(id), 15) & 15, tenant, id, pg_temp.numbered('seller', n % 500),
           pg_temp.numbered('category', n % 200), 'A thing word' || n % 500, 'some description of it word' || n % 7,
           CASE WHEN n % 100 = 0 THEN 'poor' WHEN n % 2 = 0 THEN 'good' ELSE 'new' END, 1 + n * 7919 % 100000,
           CASE WHEN n % 50 = 0 THEN 'EUR' ELSE 'USD' END, (n % 20 > 0)::int, 0, (n % 20 > 0)::int, '{{}}', '{{}}',
           '{{}}', n % 1000 = 0, true, at, at
    FROM (SELECT n, CASE WHEN n <= {PRODUCTS} THEN '{TENANT}'::uuid ELSE '{OTHER_TENANT}' END AS tenant,
                 pg_temp.numbered('product', n) AS id, now() - n * interval '1 s' AS at
          FROM generate_series(1, {PRODUCTS + FOREIGN}) n) numbered;
    INSERT INTO catalog.product_documents
    SELECT bucket, tenant_id, id,
           setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', description), 'B')
    FROM catalog.products;
    INSERT INTO catalog.product_lexemes
    SELECT d.bucket, d.tenant_id, d.product_id, l.lexeme, 0.6, p.created_at
    FROM catalog.product_documents d, catalog.products p, unnest(tsvector_to_array(d.document)) AS l (lexeme)
    WHERE p.bucket = d.bucket AND p.id = d.product_id;
    INSERT INTO catalog.product_views SELECT bucket, tenant_id, id, 1 FROM catalog.products WHERE NOT featured;
    INSERT INTO catalog.purchases
    SELECT get_byte(uuid_send(buyer), 15) & 15, tenant_id, buyer, id, created_at
    FROM (SELECT p.*, pg_temp.numbered('buyer', row_number() OVER () % 3000) AS buyer FROM catalog.products p
          WHERE bucket < 4) sold;
"""
_INDICES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'catalog' AND tablename = ANY(%s) AND indexname NOT LIKE '%%\\_pkey'
"""
_TABLES = ("products", "product_documents", "product_lexemes", "product_views", "purchases", "categories")


def numbered(kind: str, n: int) -> UUID:
    return UUID(md5(f"{kind}{n}".encode()).hexdigest())


SELLER, CATEGORY = UserId(numbered("seller", 7)), CategoryId(numbered("category", 9))
SUBTREE = tuple(CategoryId(numbered("category", n)) for n in range(10))
EUR, USD = Currency("EUR"), Currency("USD")

LISTS: dict[str, tuple[Sort, Filters]] = {
    "newest": (Sort.NEWEST, Filters()),
    "of a seller": (Sort.NEWEST, Filters(seller=SELLER)),
    "of oneself": (Sort.NEWEST, Filters(seller=SELLER, is_active=None)),
    "of nobody": (Sort.NEWEST, Filters(seller=UserId(uuid4()))),
    "of a category": (Sort.NEWEST, Filters(categories=(CATEGORY,))),
    "of a tree": (Sort.NEWEST, Filters(categories=SUBTREE)),
    "of no category": (Sort.NEWEST, Filters(categories=())),
    "poor": (Sort.NEWEST, Filters(condition=Condition.POOR)),
    "fair, of which there is none": (Sort.NEWEST, Filters(condition=Condition.FAIR)),
    "featured": (Sort.NEWEST, Filters(featured=True)),
    "not featured": (Sort.NEWEST, Filters(featured=False)),
    "in stock": (Sort.NEWEST, Filters(in_stock=True)),
    "none left": (Sort.NEWEST, Filters(in_stock=False)),
    "in euros": (Sort.NEWEST, Filters(currency=EUR)),
    "in yen, of which there is none": (Sort.NEWEST, Filters(currency=Currency("JPY"))),
    "cheapest": (Sort.CHEAPEST, Filters(currency=USD)),
    "dearest": (Sort.DEAREST, Filters(currency=EUR)),
    "cheapest of a range": (Sort.CHEAPEST, Filters(currency=USD, min_price=50_000, max_price=50_100)),
    "newest of a range": (Sort.NEWEST, Filters(currency=USD, min_price=50_000, max_price=50_100)),
    "newest of a wide range": (Sort.NEWEST, Filters(currency=USD, min_price=20_000, max_price=90_000)),
    "cheapest of a category": (Sort.CHEAPEST, Filters(currency=USD, categories=(CATEGORY,))),
    "dearest of a seller": (Sort.DEAREST, Filters(currency=USD, seller=SELLER)),
    "all at once": (
        Sort.CHEAPEST,
        Filters(
            currency=USD, categories=SUBTREE, seller=SELLER, condition=Condition.NEW, featured=False, in_stock=True,
            min_price=10, max_price=90_000,
        ),
    ),
}  # fmt: skip


def search(
    *required: str, is_plain: bool = True, by_first: bool = False, cover: set[str] | None = None, query: str = ""
) -> Search:
    text = query or " & ".join(f"'{each}'" for each in required)
    return Search(text, text, required, is_plain, bool(required), by_first, cover)


TWO, PHRASE = search("descript", COMMON, by_first=True), f"'{COMMON}' & 'descript' & !'{RARE}'"
EITHER = search(cover={RARE, "word8"}, query=f"'{RARE}' | 'word8'")
SEARCHES: dict[str, tuple[Sort, Filters, Search]] = {
    "a rare word": (Sort.RANK, Filters(), search(RARE)),
    "a rare word, newest": (Sort.NEWEST, Filters(), search(RARE)),
    "a common word": (Sort.RANK, Filters(), search(COMMON)),
    "a common word, newest": (Sort.NEWEST, Filters(), search(COMMON)),
    "a common word, cheapest": (Sort.CHEAPEST, Filters(currency=USD), search(COMMON)),
    "a common word of a seller": (Sort.RANK, Filters(seller=SELLER), search(COMMON)),
    "no word of any": (Sort.RANK, Filters(), search("none")),
    "a rare and a common word": (Sort.RANK, Filters(), search(RARE, COMMON)),
    "two common words, newest": (Sort.NEWEST, Filters(), search("descript", COMMON)),
    "two common words": (Sort.RANK, Filters(), TWO),
    "two common words of a seller": (Sort.RANK, Filters(seller=SELLER), TWO),
    "a common phrase": (Sort.RANK, Filters(), search(COMMON, "descript", is_plain=False, by_first=True, query=PHRASE)),
    "one of two words": (Sort.RANK, Filters(), EITHER),
    "a rare word of a seller": (Sort.RANK, Filters(seller=SELLER), search(RARE)),
    "the cheapest with a rare word": (Sort.CHEAPEST, Filters(currency=USD), search(RARE)),
    "a rare phrase": (Sort.RANK, Filters(), search(COMMON, RARE, is_plain=False, query=f"'{COMMON}' <-> '{RARE}'")),
    "a common word without a rare one": (
        Sort.RANK, Filters(), search(COMMON, is_plain=False, query=f"'{COMMON}' & !'{RARE}'")
    ),
    "all without a word": (Sort.NEWEST, Filters(), search(query=f"!'{RARE}'")),
}  # fmt: skip
MIDDLE = Position(0.1, 50_000, datetime.now(UTC) - timedelta(seconds=PRODUCTS / 2), UUID(int=2**127))
CASES = {
    **{name: (sort, filters, None) for name, (sort, filters) in LISTS.items()},
    **{name: (sort, replace(filters, text=name), search) for name, (sort, filters, search) in SEARCHES.items()},
}
MOST_PAGES = 5_000
"""A fifth of what is there, for searches that look 400 products up; lists take some 200 at the most."""
MOST_OF_A_LIST, MOST_OF_A_WALK = 250, 350


@pytest.fixture(scope="module")
def shelf(module_database: Urls, superuser_url: str) -> str:
    """A database with many products."""
    with psycopg.connect(superuser_url, autocommit=True) as owner:
        for table in _TABLES:
            owner.execute(f"ALTER TABLE catalog.{table} SET (autovacuum_enabled = false)".encode())
        # Built at the end, they take a fraction of the time that they take row by row.
        indices = owner.execute(_INDICES.encode(), [list(_TABLES)]).fetchall()
        for name, _ in indices:
            owner.execute(f"DROP INDEX catalog.{name}".encode())
        owner.execute(_FILL.encode())
        for _, definition in indices:
            owner.execute(definition.encode())
        for table in _TABLES:
            owner.execute(f"ANALYZE catalog.{table}".encode())
    return module_database.app_url


@pytest.mark.parametrize("after", [None, MIDDLE], ids=["first", "behind"])
@pytest.mark.parametrize("name", CASES)
def test_a_list_is_read_by_index(shelf: str, name: str, after: Position | None) -> None:
    sort, filters, search = CASES[name]
    wanted = Wanted(filters=filters, sort=sort, limit=LIMIT, after=after)
    statement, values = listing_statements.page(TENANT, wanted, search)
    is_walked = search is not None and listing_statements.is_walked(wanted, search)
    settings = {"max_parallel_workers_per_gather": 0} | ({"enable_sort": "off"} if is_walked else {})
    plan = plan_of(shelf, "force_custom_plan", statement.text, values, "ANALYZE, BUFFERS", TENANT, settings)
    assert "Seq Scan" not in plan, plan
    assert pages_of(plan) < (MOST_OF_A_WALK if is_walked else MOST_OF_A_LIST if search is None else MOST_PAGES), plan


def test_two_common_words_are_read_along_the_index_of_one_without_statistics_too(
    shelf: str, superuser_url: str
) -> None:
    statement, values = listing_statements.page(TENANT, Wanted(filters=Filters(), sort=Sort.RANK, limit=LIMIT), TWO)
    with psycopg.connect(superuser_url, cursor_factory=psycopg.ClientCursor) as owner:
        owner.execute(
            "DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM pg_class WHERE relname ~ '^product')"
        )
        owner.execute("UPDATE pg_class SET reltuples = -1 WHERE relname ~ '^product'")
        owner.execute(f"SET LOCAL ROLE {urlsplit(shelf).username}".encode())
        owner.execute("SELECT set_config('app.current_tenant', %s, true)", [str(TENANT)])
        owner.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        owner.execute(listing_statements.IN_ITS_ORDER[0].text.encode())
        explain = f"EXPLAIN (ANALYZE, BUFFERS) {statement.text.replace('%b', '%s')}"
        plan = "\n".join(line for (line,) in owner.execute(explain.encode(), list(values)))
        owner.rollback()
    assert pages_of(plan) < MOST_OF_A_WALK, plan


async def test_what_has_two_common_words_is_all_found_page_by_page(shelf: str) -> None:
    async with make_pool(shelf, "listing", 1) as pool:
        listings = PostgresListings(TenantRows(pool), pool, "english")
        found, after = list[UUID](), None
        for _ in range(3):
            wanted = Wanted(filters=Filters(text="thing description"), sort=Sort.RANK, limit=LIMIT, after=after)
            ids, after = await listings.page(TENANT, wanted)
            found += ids
    assert found == [numbered("product", n) for n in range(1, 3 * LIMIT + 1)], "as well as each other: the newest first"


ONE, BUYER = numbered("product", 1), UserId(numbered("buyer", 1))
OTHERS: dict[str, tuple[Statement, tuple[object, ...], str]] = {
    "some products": (product_statements.SOME, ([1, 2], [ONE, uuid4()], TENANT), "force_generic_plan"),
    "lock": (product_statements.LOCK, (1, ONE, TENANT), "force_generic_plan"),
    "pinned": (product_statements.IS_PINNED, (TENANT, ONE), "force_generic_plan"),
    "drop lexemes": (product_statements.DROP_LEXEMES, (1, ONE, TENANT), "force_generic_plan"),
    "write lexemes": (product_statements.WRITE_LEXEMES, (MIDDLE.at, 1, ONE, TENANT), "force_generic_plan"),
    "has products": (categories.HAS_PRODUCTS, (TENANT, CATEGORY), "force_generic_plan"),
    "views": (views.ADD, (TENANT, [1], [ONE], [1]), "force_generic_plan"),
    "how many have a word": (listing_statements.COUNTS, (TENANT, [RARE, COMMON]), "force_custom_plan"),
    "featured": (recommendations.FEATURED, (TENANT,), "force_custom_plan"),
    "others bought": (
        recommendations.OTHERS_BOUGHT,
        (1, TENANT, BUYER, TENANT, BUYER, TENANT, TENANT, BUYER, 1, BUYER, TENANT),
        "force_custom_plan",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_else_is_asked_is_found_by_index(shelf: str, name: str) -> None:
    statement, values, mode = OTHERS[name]
    plan = plan_of(shelf, mode, statement.text, values, tenant=TENANT)
    assert "Seq Scan on products" not in plan, plan
    assert "Seq Scan on product_" not in plan, plan
    assert "Seq Scan on purchases" not in plan, plan
