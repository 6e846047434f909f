"""The statements of bids find their rows by index, as prepared statements get their plans, in grown tables, with their
statistics or before there are any, and in those of an auction house's first minute.
"""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from app.contexts.auctions.adapters.postgres import auction_rows, bid_rows, due, intent_rows
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from app.platform.postgres.pipeline import Statement, columns
from tests.auctions.builders import auction
from tests.plans import cost_of, plan_of

ROWS = 20_000
YOUNG = 1_000
"""Rows of a first minute, in which nothing is known of them."""
MOST_COST = 1_500
"""Some hundred rows by index. What is planned for a share of a table's rows costs more."""
N = 32
TENANT = UUID(int=1)
AUCTIONS = [uuid4() for _ in range(N)]
BUCKETS = [id_.int & 15 for id_ in AUCTIONS]
IDS = [uuid4() for _ in AUCTIONS]

_FILL = """
    INSERT INTO auctions.auctions (bucket, tenant_id, id, seller_id, product_id, title, currency, starting_price, steps,
        extend_s, starts_at, planned_end, ends_at, status, price, bid_count, bidder_count, last_event_id, created_at,
        updated_at)
    SELECT get_byte(uuid_send(u), 15) & 15, '{tenant}', u, gen_random_uuid(), gen_random_uuid(), 'x', 'USD', 1, '0:1',
        120, now(), now() + interval '1 h', now() + interval '1 h', 'open', 1, 0, 0, 1, now(), now()
    FROM (SELECT gen_random_uuid() AS u, n FROM generate_series(1, {rows}) n) ids;
    INSERT INTO auctions.bidders
    SELECT bucket, tenant_id, id, gen_random_uuid(), n FROM auctions.auctions, generate_series(1, 3) n;
    INSERT INTO auctions.bids
    SELECT bucket, tenant_id, auction_id, ordinal, gen_random_uuid(), user_id, ordinal, 1, 1, gen_random_uuid(), 1,
        now(), true, now() FROM auctions.bidders;
    INSERT INTO auctions.intents (bucket, tenant_id, auction_id, id, user_id, key, kind, amount, max_amount, status,
        currency, created_at)
    SELECT bucket, tenant_id, id, gen_random_uuid(), gen_random_uuid(), 'k', 'bid', 1, 1, 'open', 'USD', now()
    FROM auctions.auctions;
    INSERT INTO auctions.returns (bucket, tenant_id, auction_id, hold_id, user_id, currency, created_at)
    SELECT bucket, tenant_id, id, gen_random_uuid(), gen_random_uuid(), 'USD', now() FROM auctions.auctions;
"""
_TABLES = ("auctions", "bidders", "bids", "intents", "returns")

_AUCTION_ROWS = [(id_.int & 15, id_, *auction_rows._moves(auction(id=id_))) for id_ in AUCTIONS]

HOT: list[tuple[str, Statement, tuple[Any, ...]]] = [
    ("lock auctions", auction_rows.LOCK, (BUCKETS, AUCTIONS, TENANT)),
    (
        "update auctions",
        auction_rows.UPDATE,
        (*map(list, columns(_AUCTION_ROWS)), TENANT),
    ),
    ("read intents", intent_rows.READ, (BUCKETS, AUCTIONS, IDS, TENANT)),
    ("read bidders", bid_rows.READ_BIDDERS, (BUCKETS, AUCTIONS, IDS, TENANT)),
    (
        "change intents",
        intent_rows._UPDATE,
        (BUCKETS, AUCTIONS, IDS, ["bid"] * N, [None] * N, ["undoing"] * N, TENANT),
    ),
    ("end intents", intent_rows._END, (BUCKETS, AUCTIONS, IDS, TENANT)),
    ("strike out what is released", intent_rows._RETURNED, (BUCKETS, AUCTIONS, IDS, TENANT)),
]
"""What a bid is made of."""

RECOVERY = [
    (due.TAKE_INTENTS, (10.0, TENANT, 2.0, 15.0, 15.0, 64), "intents_since"),
    (due.TAKE_RETURNS, (10.0, TENANT, 2.0, 10.0, 64), "returns_since"),
]


def fill(urls: Urls, postgres_server: PostgresServer, rows: int, *, and_analyse: bool) -> str:
    """Let the tables of a database grow; its URL."""
    name = conninfo_to_dict(urls.app_url)["dbname"]
    assert isinstance(name, str)
    with psycopg.connect(postgres_server.url(name), autocommit=True) as owner:
        for table in _TABLES:
            owner.execute(f"ALTER TABLE auctions.{table} SET (autovacuum_enabled = false)".encode())
        owner.execute(_FILL.format(tenant=TENANT, rows=rows).encode())
        if and_analyse:
            for table in _TABLES:
                owner.execute(f"ANALYZE auctions.{table}".encode())
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


@pytest.mark.parametrize(("statement", "values"), [hot[1:] for hot in HOT], ids=[name for name, *_ in HOT])
def test_in_the_first_minute_each_row_is_found_along_a_key_of_its_own(
    young: str, statement: Statement, values: tuple[Any, ...]
) -> None:
    plan = plan_of(young, "force_generic_plan", statement.text, values)
    conditions = re.findall(r"Index Cond: (.*)", plan)
    assert conditions, plan
    assert all(re.search(r"\b(?:auction_id|id) = ", each) for each in conditions), plan
    assert "Seq Scan" not in plan, plan


@pytest.mark.parametrize(("statement", "values", "index"), RECOVERY, ids=[index for *_, index in RECOVERY])
def test_what_is_due_is_found_along_the_index_of_what_is_open(
    grown: str, statement: Statement, values: tuple[Any, ...], index: str
) -> None:
    plan = plan_of(grown, "force_generic_plan", statement.text, values)
    assert index in plan, plan
    assert "Seq Scan" not in plan, plan
