"""The statements of checkouts and closings find their rows by index, as prepared statements get their plans, in grown
tables, with their statistics or before there are any, and in those of a market's first minute.
"""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from app.contexts.ordering.adapters.postgres import cart_rows, checkout_rows, due, order_writes, sales
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from app.platform.idempotency.requests import KEYS
from app.platform.postgres.pipeline import Statement
from tests.builders import NOON
from tests.plans import cost_of, plan_of

ROWS = 20_000
YOUNG = 1_000
"""Rows of a market's first minute, in which nothing is known of them."""
MOST_COST = 1_500
"""Some hundred rows by index. What is planned for a share of a table's rows costs more."""
N = 32
TENANT = UUID(int=1)
USERS = [uuid4() for _ in range(N)]
BUCKETS = [user.int & 15 for user in USERS]
IDS = [uuid4() for _ in USERS]
KEYS_OF = (BUCKETS, USERS, IDS)
OF_RECOVERY = (10.0, TENANT, 15.0, 15.0, 64)
OF_DAYS = (10.0, TENANT, 14, 15.0, 64)

_FILL = """
    INSERT INTO ordering.carts (bucket, tenant_id, user_id, id, currency, status, checkout_id, created_at, updated_at)
    SELECT get_byte(uuid_send(u), 15) & 15, '{tenant}', u, gen_random_uuid(), 'USD', 'active',
           CASE WHEN n % 100 = 0 THEN gen_random_uuid() END, now(), now()
    FROM (SELECT gen_random_uuid() AS u, n FROM generate_series(1, {rows}) n) users;
    INSERT INTO ordering.cart_items (bucket, tenant_id, user_id, cart_id, id, product_id, title, price, qty, created_at)
    SELECT bucket, tenant_id, user_id, id, gen_random_uuid(), gen_random_uuid(), 'x', 1, 1, now() FROM ordering.carts;
    INSERT INTO ordering.checkouts (bucket, tenant_id, user_id, id, cart_id, key, expected_total, currency, lines,
        status, created_at, updated_at)
    SELECT bucket, tenant_id, user_id, coalesce(checkout_id, gen_random_uuid()), id, 'k', 1, 'USD', '[]',
        CASE WHEN checkout_id IS NULL THEN 'paid' ELSE 'pending' END, now(), now() FROM ordering.carts;
    INSERT INTO ordering.orders (bucket, tenant_id, user_id, id, checkout_id, seller_id, items, total, fee, currency,
        status, hold_id, closing, closing_at, house_user_id, created_at, updated_at, paid_at, shipped_at)
    SELECT bucket, tenant_id, user_id, gen_random_uuid(), id, gen_random_uuid(), '[]', 1, 0, 'USD',
        (ARRAY['paid', 'shipped', 'completed', 'completed'])[1 + n % 4], gen_random_uuid(),
        CASE WHEN n % 400 = 0 THEN 'ship' END, CASE WHEN n % 400 = 0 THEN now() END, gen_random_uuid(),
        now(), now(), now(), now()
    FROM (SELECT *, row_number() OVER () AS n FROM ordering.checkouts) c;
    INSERT INTO v1_idempotency_keys SELECT user_id, 'k', 'x', id, 201, 'y', now(), now() FROM ordering.checkouts;
"""
_TABLES = ("ordering.carts", "ordering.cart_items", "ordering.checkouts", "ordering.orders", "v1_idempotency_keys")

BY_KEY: list[tuple[str, Statement, tuple[Any, ...]]] = [
    ("lock carts to change them", cart_rows.LOCK, (BUCKETS, USERS, TENANT)),
    ("read carts", cart_rows.READ, (BUCKETS, USERS, TENANT)),
    ("update carts", cart_rows._UPDATE, (*KEYS_OF, ["USD"] * N, TENANT)),
    ("take lines out of carts", cart_rows._REMOVE, (*KEYS_OF, IDS, TENANT)),
    ("lock carts", checkout_rows._LOCK_CARTS, (BUCKETS, USERS, TENANT)),
    ("lines of carts", checkout_rows._LINES, (BUCKETS, USERS, TENANT)),
    ("under way", checkout_rows._UNDER_WAY, (*KEYS_OF, TENANT)),
    ("check out carts", checkout_rows._CHECK_OUT_CARTS, (*KEYS_OF, IDS, TENANT)),
    ("lock checkouts", checkout_rows._LOCK, (*KEYS_OF, TENANT)),
    ("end checkouts", checkout_rows._END, (*KEYS_OF, ["paid"] * N, [NOON] * N, TENANT)),
    ("end carts", checkout_rows._END_CARTS, (*KEYS_OF, IDS, [True] * N, [NOON] * N, TENANT)),
    ("orders of checkouts", order_writes._OF_CHECKOUTS, (*KEYS_OF, TENANT)),
    (
        "update orders",
        order_writes._UPDATE,
        (
            BUCKETS, IDS, ["paid"] * N, [0] * N, IDS, *([[None] * N] * 5), [NOON] * N, [NOON] * N, [None] * N, TENANT,
        ),
    ),
    ("find a sale", sales._FIND, (BUCKETS[0], USERS[0], IDS[0], "auctions", "sale", TENANT)),
]  # fmt: skip
"""What a checkout is made of. Each is given its rows' keys, or begins of them."""
HOT = [
    *BY_KEY,
    ("lock orders", order_writes._LOCK, (TENANT, IDS)),
    ("sales of orders", order_writes._SALES, (TENANT, IDS)),
    ("free keys", KEYS.forgetting, (USERS, ["k"] * N, IDS)),
]

RECOVERY: list[tuple[Statement, tuple[Any, ...], str]] = [
    (due._TAKE_CHECKOUTS, OF_RECOVERY, "checkouts_pending"),
    (due._TAKE_CLOSINGS, OF_RECOVERY, "orders_closing_since"),
    (due._TAKE_NOT_SHIPPED, OF_DAYS, "orders_paid_since"),
    (due._TAKE_ARRIVED, OF_DAYS, "orders_shipped_since"),
    (due._BACKLOG, (TENANT, TENANT), "orders_closing_since"),
]


def fill(urls: Urls, postgres_server: PostgresServer, rows: int, *, and_analyse: bool) -> str:
    """Let the tables of a database grow; its URL."""
    name = conninfo_to_dict(urls.app_url)["dbname"]
    assert isinstance(name, str)
    with psycopg.connect(postgres_server.url(name), autocommit=True) as owner:
        for table in _TABLES:
            owner.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)".encode())
        owner.execute(_FILL.format(tenant=TENANT, rows=rows).encode())
        if and_analyse:
            for table in _TABLES:
                owner.execute(f"ANALYZE {table}".encode())
    return urls.app_url


@pytest.fixture(scope="module", params=["filled", "never analysed"])
def grown(
    request: pytest.FixtureRequest, make_fresh_database: Callable[[], Urls], postgres_server: PostgresServer
) -> str:
    """A database whose tables have grown, and are known to the planner, or not yet."""
    return fill(make_fresh_database(), postgres_server, ROWS, and_analyse=request.param == "filled")


@pytest.fixture(scope="module")
def young(make_fresh_database: Callable[[], Urls], postgres_server: PostgresServer) -> str:
    """A database that has just begun to grow."""
    return fill(make_fresh_database(), postgres_server, YOUNG, and_analyse=False)


@pytest.mark.parametrize(("statement", "values"), [hot[1:] for hot in HOT], ids=[name for name, *_ in HOT])
def test_a_hot_statement_never_reads_a_table_through(grown: str, statement: Statement, values: tuple[Any, ...]) -> None:
    plan = plan_of(grown, "force_generic_plan", statement.text, values)
    assert "Seq Scan" not in plan, plan
    assert cost_of(plan) < MOST_COST, plan


@pytest.mark.parametrize(("statement", "values"), [each[1:] for each in BY_KEY], ids=[name for name, *_ in BY_KEY])
def test_in_the_first_minute_each_row_is_found_along_a_key_of_its_own(
    young: str, statement: Statement, values: tuple[Any, ...]
) -> None:
    plan = plan_of(young, "force_generic_plan", statement.text, values)
    conditions = re.findall(r"Index Cond: (.*)", plan)
    assert conditions, plan
    assert all(re.search(r"\b(?:user_id|id) = ", each) for each in conditions), plan
    assert "Seq Scan" not in plan, plan


@pytest.mark.parametrize(
    ("statement", "values", "index"), RECOVERY, ids=[index for *_, index in RECOVERY[:4]] + ["backlog"]
)
def test_what_is_due_is_found_along_the_index_of_what_is_open(
    grown: str, statement: Statement, values: tuple[Any, ...], index: str
) -> None:
    plan = plan_of(grown, "force_generic_plan", statement.text, values)
    assert index in plan, plan
    assert "Seq Scan" not in plan, plan
