"""Hot statements find their rows by index, as the prepared statement gets its plan, once the tables have grown."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.contexts.funds import part
from app.contexts.funds.adapters.postgres import fundings, wallets
from app.contexts.payments.adapters.postgres import pending, rows
from app.contexts.payments.adapters.postgres import writes as changes
from app.contexts.payments.adapters.postgres.for_funds import PAYMENT_QUERIES
from app.contexts.payments.adapters.postgres.idempotency import KEYS as KEYS_OF_PAYMENTS
from app.main.local.roles import Urls
from app.platform.postgres.pipeline import Statement
from tests.builders import NOON
from tests.plans import cost_of, pages_of, plan_of

ROWS = 20_000
LINES = 10_000
MOST_COST = 1_000
"""Some hundred rows by index. What is planned for a share of the table's rows, or of a user's, costs more."""
USERS = [uuid4() for _ in range(32)]
IDS = [uuid4() for _ in USERS]
KEYS = [f"key {n}" for n in range(len(USERS))]

_FILL = f"""
    INSERT INTO wallet_balances SELECT gen_random_uuid(), 'USD', 1, 1, now() FROM generate_series(1, {ROWS});
    INSERT INTO payments (user_id, id, transaction_id, idempotency_key, provider_id, external_reference, amount,
                          currency, status, created_at, finalized_at)
    SELECT user_id, gen_random_uuid(), gen_random_uuid(), 'k' || n, gen_random_uuid(), 'r', 1, 'USD', 'APPROVED',
           now(), now()
    FROM (SELECT user_id FROM wallet_balances LIMIT {ROWS // LINES}) users, generate_series(1, {LINES}) n;
    INSERT INTO transactions (user_id, id, kind, payment_id, amount, currency, status, created_at)
    SELECT user_id, transaction_id, 'PAYMENT', id, 1, 'USD', 'APPROVED', now() FROM payments;
    INSERT INTO ledger_entries (user_id, transaction_id, account, amount, currency, balance_after, wallet_version,
                                created_at)
    SELECT user_id, transaction_id, 'wallet', -1, 'USD', 1, row_number() OVER (PARTITION BY user_id), now()
    FROM payments;
    INSERT INTO idempotency_keys SELECT user_id, idempotency_key, 'x', id, 201, 'y', now(), now() FROM payments;
"""
_TABLES = ("wallet_balances", "payments", "transactions", "ledger_entries", "idempotency_keys")

PAGES = wallets.page_statements(PAYMENT_QUERIES)

# Planned for any values, as the connections of the books and the reads have it.
GENERIC: list[tuple[str, Statement, tuple[Any, ...]]] = [
    ("lock wallets", part._LOCK_WALLETS, (USERS, ["USD"] * len(USERS))),
    ("lock keys", KEYS_OF_PAYMENTS.locking, (USERS, KEYS)),
    ("lock payments", rows.LOCK_PAYMENTS, (USERS, IDS)),
    ("read records", KEYS_OF_PAYMENTS.recorded, (USERS, KEYS)),
    ("mark", changes._MARK_PAYMENTS, (USERS, IDS, [NOON] * len(USERS))),
    ("settle", changes._SETTLE_PAYMENTS, (USERS, IDS, ["FAILED"] * 32, ["X"] * 32, [NOON] * 32)),
    ("settle transactions", part._SETTLE_TRANSACTIONS, (USERS, IDS, ["FAILED"] * 32)),
    ("update wallets", part._UPDATE_WALLETS, (USERS, ["USD"] * 32, [1] * 32, [1] * 32, [NOON] * 32)),
    ("store answers", KEYS_OF_PAYMENTS.storing, (USERS, KEYS, [201] * 32, [b"x"] * 32, [True] * 32)),
    ("history", PAGES[False, False], (USERS[0], 51)),
    ("history of a currency", PAGES[True, False], (USERS[0], "USD", 51)),
    ("history behind a line", PAGES[False, True], (USERS[0], NOON, IDS[0], 51)),
    ("balances", wallets._BALANCES, (USERS[0],)),
    ("key", KEYS_OF_PAYMENTS.finding, (USERS[0], "k1")),
    ("what may come back", fundings.pending_sum(PAYMENT_QUERIES), (USERS[0], "USD")),
    ("what a reference paid in", fundings._FUNDED, (USERS[0], "USD", "r")),
]
OF_PENDING = [(statement.text, values) for name, statement, values in GENERIC if name in ("mark", "settle")]
# Planned for the values.
CUSTOM: list[tuple[str, str, tuple[Any, ...]]] = [
    ("take", pending._TAKE, (15.0, 5.0, 15.0, 15.0, 10)),
    ("pending", pending._BACKLOG, (25.0,)),
]
HOT = [(name, "force_generic_plan", statement.text, values) for name, statement, values in GENERIC] + [
    (name, "force_custom_plan", text, values) for name, text, values in CUSTOM
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
@pytest.mark.parametrize(("mode", "text", "values"), [hot[1:] for hot in HOT], ids=[hot[0] for hot in HOT])
def test_a_hot_statement_never_reads_a_table_through(
    request: pytest.FixtureRequest, state: str, mode: str, text: str, values: tuple[Any, ...]
) -> None:
    plan = plan_of(request.getfixturevalue(state), mode, text, values)
    assert "Seq Scan" not in plan, plan
    assert "Index" in plan, plan
    assert cost_of(plan) < MOST_COST, plan


@pytest.mark.parametrize("shape", PAGES, ids=str)
def test_a_page_looks_its_lines_up_by_their_keys_without_statistics(
    never_analysed: str, shape: tuple[bool, bool]
) -> None:
    """That takes some ten pages a line. Walking through the wallet for each takes hundreds."""
    newest = "SELECT user_id, created_at, id FROM transactions ORDER BY created_at DESC, id DESC LIMIT 1"
    with psycopg.connect(never_analysed) as connection:
        ((user_id, at, line_id),) = connection.execute(newest).fetchall()
    of_currency, behind = shape
    values = (user_id, *(("USD",) if of_currency else ()), *((at, line_id) if behind else ()), wallets.MOST_LINES)
    text = PAGES[shape].text
    plan = plan_of(never_analysed, "force_generic_plan", text, values, "ANALYZE, BUFFERS")
    assert f"rows={wallets.MOST_LINES} " in plan, plan
    assert pages_of(plan) < 20 * wallets.MOST_LINES, plan


@pytest.mark.parametrize(("text", "values"), OF_PENDING, ids=["mark", "settle"])
def test_a_pending_payment_is_not_looked_for_among_all_that_have_been_pending(
    filled: str, text: str, values: tuple[Any, ...]
) -> None:
    """Their index keeps each of them until the next vacuum; without one now, it looks empty to the planner."""
    plan = plan_of(filled, "force_generic_plan", text, values)
    assert "payments_pkey" in plan, plan
    assert "payments_pending" not in plan, plan
