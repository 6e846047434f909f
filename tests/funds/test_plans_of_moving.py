"""The statements that move money find their rows by index, as prepared statements get their plans, in grown tables."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.contexts.funds import part
from app.contexts.funds.adapters.postgres import expiring, hold_rows, operation_rows, references, wallet_rows
from app.contexts.funds.adapters.postgres.v1_keys import RECEIVING, SENDING
from app.contexts.payments.adapters.postgres.for_funds import PAYMENT_QUERIES
from app.main.local.roles import Urls
from app.platform.postgres.pipeline import Statement
from tests.builders import NOON
from tests.plans import cost_of, plan_of

ROWS = 20_000
MOST_COST = 1_500
"""Some hundred rows by index. What is planned for a share of a table's rows costs more."""
N = 32
USERS = [uuid4() for _ in range(N)]
IDS = [uuid4() for _ in USERS]
KEYS = [f"key {n}" for n in range(N)]
USD = ["USD"] * N
OPERATIONS = ([n % 16 for n in range(N)], IDS, ["market"] * N, ["step"] * N)

_FILL = f"""
    INSERT INTO wallet_balances SELECT gen_random_uuid(), 'USD', 1, 1, now() FROM generate_series(1, {ROWS});
    INSERT INTO transactions (user_id, id, kind, reference, amount, currency, status, created_at)
    SELECT user_id, gen_random_uuid(), 'FUNDING', 'r', 1, 'USD', 'COMPLETED', now() FROM wallet_balances;
    INSERT INTO payments (user_id, id, transaction_id, idempotency_key, provider_id, external_reference, amount,
                          currency, status, created_at, finalized_at)
    SELECT user_id, gen_random_uuid(), gen_random_uuid(), 'k', gen_random_uuid(), 'r', 1, 'USD',
           CASE WHEN n % 400 = 0 THEN 'PENDING' ELSE 'APPROVED' END, now(), CASE WHEN n % 400 > 0 THEN now() END
    FROM (SELECT user_id, row_number() OVER () AS n FROM wallet_balances) w;
    INSERT INTO holds (user_id, id, tenant_id, context, business_id, amount, currency, status, version, created_at,
                       expires_at, released, closed_at)
    SELECT user_id, gen_random_uuid(), user_id, 'market', user_id, 1, 'USD',
           CASE WHEN n % 10 = 0 THEN 'OPEN' ELSE 'RELEASED' END, 1, now(), now() + n * interval '1 s',
           CASE WHEN n % 10 = 0 THEN 0 ELSE 1 END, CASE WHEN n % 10 > 0 THEN now() END
    FROM (SELECT user_id, row_number() OVER () AS n FROM wallet_balances) w;
    INSERT INTO operations (bucket, business_id, context, name, user_id, fingerprint, forbidden, answer, created_at)
    SELECT get_byte(uuid_send(id), 15) & 15, id, 'market', 'step', user_id, 'x', false, '{{}}', now() FROM holds;
    INSERT INTO v1_idempotency_keys SELECT user_id, 'k', 'x', id, 201, 'y', now(), now() FROM holds;
"""
_TABLES = ("wallet_balances", "transactions", "payments", "holds", "operations", "v1_idempotency_keys")

HOT: list[tuple[str, Statement, tuple[Any, ...]]] = [
    ("lock wallets", wallet_rows._LOCK, (USERS, USD)),
    ("open wallets", wallet_rows._OPEN, (USERS, USD, IDS, [1] * N)),
    ("open wallets for parts", wallet_rows._OPEN_FOR_PARTS, (USERS, USD, IDS, IDS)),
    ("write wallets", wallet_rows._WRITE, (USERS, USD, [1] * N, [0] * N, [1] * N, [NOON] * N)),
    ("what may come back", part.PendingSums(PAYMENT_QUERIES).statement, (USERS, USD)),
    ("lock holds", hold_rows._LOCK, (USERS, IDS)),
    (
        "update holds",
        hold_rows._UPDATE,
        (USERS, IDS, [1] * N, [0] * N, [1] * N, ["RELEASED"] * N, [2] * N, [None] * N, [NOON] * N),
    ),
    ("read operations", operation_rows._RECORDS, OPERATIONS),
    ("store outcomes", operation_rows._STORE, (*OPERATIONS, ["{}"] * N)),
    ("claim keys", SENDING.claiming, (USERS, KEYS, [b"x"] * N, IDS, IDS, USD)),
    ("read keys", SENDING.recorded, (USERS, KEYS)),
    ("store answers", RECEIVING.storing, (USERS, KEYS, [201] * N, [b"x"] * N, [True] * N)),
    ("what references paid in", references._FUNDED, (USERS, USD, KEYS)),
]


def fill(urls: Urls, then: str) -> str:
    """Let the tables grow, each of them `then` treated so."""
    with psycopg.connect(urls.owner_url, autocommit=True) as owner:
        for table in _TABLES:
            owner.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)".encode())
        owner.execute(_FILL.encode())
        for table in _TABLES:
            owner.execute(then.format(table).encode())
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
    assert "Index" in plan, plan
    assert cost_of(plan) < MOST_COST, plan


def test_holds_that_end_are_found_in_the_order_of_their_ends(filled: str) -> None:
    plan = plan_of(filled, "force_custom_plan", expiring._ENDING, (129,))
    assert "holds_expiring" in plan, plan
    assert "Sort" not in plan, plan
    assert cost_of(plan) < MOST_COST, plan
