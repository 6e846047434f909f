"""The statements that move stock find their rows by index, under row-level security, in tables that have grown."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from app.contexts.catalog.adapters.postgres import line_rows, pile_rows, reservation_rows
from app.main.local.roles import Urls
from app.platform.postgres.pipeline import Statement
from tests.catalog.stocking import TENANT
from tests.plans import cost_of, plan_of

ROWS = 20_000
MOST_COST = 1_500
"""Some hundred rows by index. What is planned for a share of a table's rows costs more."""
N = 32
IDS = [uuid4() for _ in range(N)]
BUCKETS = [each.int % 16 for each in IDS]
OPERATIONS = (BUCKETS, IDS, ["ordering"] * N, ["reserve"] * N)

_FILL = f"""
    INSERT INTO catalog.products (bucket, tenant_id, id, seller_id, title, description, condition, price, currency,
        quantity, put_in, images, specifications, shipping_info, featured, is_active, created_at, updated_at)
    SELECT get_byte(uuid_send(id), 15) & 15, '{TENANT}', id, id, 'a thing', '', 'new', 1, 'USD', 9, 9, '{{}}', '{{}}',
           '{{}}', false, true, now(), now()
    FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, {ROWS})) ids;
    INSERT INTO catalog.reservations (bucket, tenant_id, context, business_id, name, fingerprint, forbidden, buyer_id,
        created_at)
    SELECT bucket, tenant_id, 'ordering', id, 'reserve', 'x', false, id, now() FROM catalog.products;
    INSERT INTO catalog.reservation_lines
    SELECT bucket, tenant_id, 'ordering', id, 'reserve', id, 1, 'TAKEN', id, 'a thing', 1, 'USD' FROM catalog.products;
    INSERT INTO catalog.purchases SELECT bucket, tenant_id, id, id, now() FROM catalog.products;
"""
_TABLES = ("products", "reservations", "reservation_lines", "purchases")

KEYS = {
    "products_pkey": {"bucket", "id"},
    "reservations_pkey": {"bucket", "business_id"},
    "reservation_lines_pkey": {"bucket", "business_id"},
    "reservation_lines_of_a_product": {"product_id", "business_id"},
}
"""What an index has to be asked by: nothing else is one row, or those of one reservation."""
HOT: list[tuple[str, Statement, tuple[Any, ...]]] = [
    ("lock products", pile_rows.LOCK, (TENANT, BUCKETS, IDS, *OPERATIONS, TENANT)),
    ("write products", pile_rows.WRITE, (BUCKETS, IDS, [1] * N, [1] * N, [1] * N, [1] * N, TENANT)),
    ("read offers", pile_rows.OFFERS, (BUCKETS, IDS, TENANT)),
    ("read reservations", reservation_rows.RECORDS, (*OPERATIONS, TENANT)),
    ("lock reservations", reservation_rows.LOCK, (*OPERATIONS, TENANT)),
    ("refuse reservations", reservation_rows.REFUSE, (*OPERATIONS, ["{}"] * N, TENANT)),
    ("read lines", line_rows.READ, (*OPERATIONS, TENANT)),
    ("settle lines", line_rows.SETTLE, (*OPERATIONS, IDS, ["TAKEN"] * N, TENANT)),
]


def fill(urls: Urls, then: str) -> str:
    """Let the tables grow, each of them `then` treated so; the URL of whoever sees the tenant's rows."""
    told = make_conninfo(urls.owner_url, options=f"-c app.current_tenant={TENANT}")
    with psycopg.connect(told, autocommit=True) as owner:
        for table in _TABLES:
            owner.execute(f"ALTER TABLE catalog.{table} SET (autovacuum_enabled = false)".encode())
        owner.execute(_FILL.encode())
        for table in _TABLES:
            owner.execute(then.format(f"catalog.{table}").encode())
    return urls.app_url


@pytest.fixture(scope="module")
def filled(make_fresh_database: Callable[[], Urls]) -> str:
    """A database whose tables have grown, and are known to the planner."""
    return fill(make_fresh_database(), "ANALYZE {}")


@pytest.fixture(scope="module")
def never_analysed(make_fresh_database: Callable[[], Urls]) -> str:
    """The same without statistics, as in the first minutes of a database, or after a restore."""
    return fill(make_fresh_database(), "ALTER TABLE {} SET (autovacuum_enabled = false)")


@pytest.mark.parametrize("state", ["filled", "never_analysed"])
@pytest.mark.parametrize(("statement", "values"), [hot[1:] for hot in HOT], ids=[name for name, *_ in HOT])
def test_a_hot_statement_never_reads_a_table_through(
    request: pytest.FixtureRequest, state: str, statement: Statement, values: tuple[Any, ...]
) -> None:
    plan = plan_of(request.getfixturevalue(state), "force_generic_plan", statement.text, values)
    assert "Seq Scan" not in plan, plan
    by_index = re.findall(r"Index Scan (?:using|on) (\w+)[^(]*\(.*\n\s+Index Cond: (.*)", plan)
    assert by_index, plan
    assert all({*re.findall(r"\b(\w+) = ", keyed)} >= KEYS[index] for index, keyed in by_index), plan
    assert cost_of(plan) < MOST_COST, plan


def test_no_index_of_products_hears_of_what_is_sold(filled: str) -> None:
    """Then the row of a hot product is written on its own page, and no index with it."""
    query = r"""
        SELECT indexdef FROM pg_indexes WHERE schemaname = 'catalog' AND tablename = 'products'
            AND indexdef ~ '\m(quantity|reserved|sold|version|updated_at)\M'
    """
    with psycopg.connect(filled) as connection:
        assert connection.execute(query).fetchall() == []
