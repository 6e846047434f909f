"""What is read of one's own money is found by index, however much of it there is, and whatever is known of it."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.contexts.funds.adapters.postgres import holds, past, wallets
from app.contexts.funds.part import NO_PAYMENTS
from app.contexts.payments.adapters.postgres.for_funds import PAYMENT_QUERIES
from app.main.local.roles import Urls
from app.platform.idempotency.requests import KEYS
from app.platform.postgres.pipeline import Statement
from tests.builders import NOON
from tests.plans import cost_of, pages_of, plan_of

LINES = 20_000
MOST_COST = 1_000
USER, OTHER, LINE = uuid4(), uuid4(), uuid4()

# Half of the lines moved the wallet, half what is set aside; everybody else's are as many again.
_FILL = f"""
    INSERT INTO holds (user_id, id, tenant_id, context, business_id, amount, currency, status, version, created_at)
    SELECT CASE WHEN n % 2 = 0 THEN '{USER}' ELSE gen_random_uuid() END, gen_random_uuid(), gen_random_uuid(),
           'auctions', gen_random_uuid(), 1, 'USD', 'OPEN', 1, now() - make_interval(secs => n)
    FROM generate_series(1, {LINES}) n;
    INSERT INTO transactions (user_id, id, kind, amount, currency, status, created_at, counterparty, hold_id)
    SELECT CASE WHEN n % 4 < 2 THEN '{USER}' ELSE gen_random_uuid() END, ids.id,
           CASE WHEN n % 2 = 0 THEN 'TRANSFER_IN' ELSE 'CAPTURE_OUT' END, 1, 'USD', 'COMPLETED',
           now() - make_interval(secs => n), CASE WHEN n % 2 = 0 THEN '{OTHER}'::uuid END,
           CASE WHEN n % 2 = 1 THEN ids.id END
    FROM generate_series(1, {LINES}) n, LATERAL (SELECT gen_random_uuid() AS id WHERE n > 0) ids;
    INSERT INTO ledger_entries (user_id, transaction_id, account, amount, currency, balance_after, wallet_version,
                                created_at)
    SELECT user_id, id, 'wallet', 1, 'USD', 1, row_number() OVER (PARTITION BY user_id), created_at
    FROM transactions WHERE kind = 'TRANSFER_IN'
    UNION ALL SELECT user_id, id, 'held', -1, 'USD', NULL, NULL, created_at FROM transactions WHERE kind = 'CAPTURE_OUT'
    UNION ALL SELECT user_id, id, 'transfers', -1, 'USD', NULL, NULL, created_at FROM transactions;
    INSERT INTO wallet_balances SELECT gen_random_uuid(), 'USD', 1, 1, now() FROM generate_series(1, {LINES});
    INSERT INTO v1_idempotency_keys SELECT user_id, id::text, 'x', id, 201, 'y', created_at, created_at
    FROM transactions;
"""
_TABLES = ("wallet_balances", "holds", "transactions", "ledger_entries", "v1_idempotency_keys")

PAGES = {
    f"{name} {shape}": statement
    for name, payments in (("lines", PAYMENT_QUERIES), ("lines without payments", NO_PAYMENTS))
    for shape, statement in wallets.page_statements(payments).items()
}
HOT: dict[str, tuple[Statement, tuple[Any, ...]]] = {
    "holds": (holds.FIRST_PAGE, (USER, 51)),
    "holds behind one": (holds.PAGE_BEHIND, (USER, NOON, LINE, 51)),
    "key": (KEYS.finding, (USER, "k")),
    "keys": (KEYS.recorded, ([USER, OTHER], ["k", "l"])),
    "store": (KEYS.storing, ([USER], ["k"], [201], [b"x"], [True])),
    "lock": (KEYS.locking, ([USER], ["k"])),
    "what stood at a time": (past.STOOD, ([0], [USER], ["USD"], [NOON], [True])),
    "wallets that are shared": (past.SHARE, ([USER], ["USD"])),
    "lines of a statement": (past.lines_statement(PAYMENT_QUERIES), (USER, "USD", 1_000, 4_000)),
    "lines without payments": (past.lines_statement(NO_PAYMENTS), (USER, "USD", 1_000, 4_000)),
}


def fill(urls: Urls, then: str) -> str:
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
    """The same without statistics."""
    return fill(make_fresh_database(), "ALTER TABLE {} SET (autovacuum_enabled = false)")


@pytest.mark.parametrize("state", ["filled", "never_analysed"])
@pytest.mark.parametrize("name", HOT)
def test_a_read_finds_its_rows_by_index(request: pytest.FixtureRequest, state: str, name: str) -> None:
    statement, values = HOT[name]
    plan = plan_of(request.getfixturevalue(state), "force_generic_plan", statement.text, values)
    assert "Seq Scan" not in plan, plan
    assert cost_of(plan) < MOST_COST, plan


def test_expired_keys_are_found_by_their_end(filled: str) -> None:
    plan = plan_of(filled, "force_custom_plan", KEYS.purge, (24.0, 1_000))
    assert "v1_idempotency_keys_finalized" in plan, plan


@pytest.mark.parametrize("state", ["filled", "never_analysed"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_lines_looks_each_up_by_its_key_also_of_what_moved_no_wallet(
    request: pytest.FixtureRequest, state: str, name: str
) -> None:
    """That takes some ten pages a line; walking through the wallet for each takes hundreds."""
    url = request.getfixturevalue(state)
    of_currency, behind = ("True" in name.split()[-2], "True" in name.rsplit(maxsplit=1)[-1])
    newest = "SELECT created_at, id FROM transactions WHERE user_id = %s ORDER BY created_at DESC, id DESC LIMIT 1"
    with psycopg.connect(url) as connection:
        (line,) = connection.execute(newest, (USER,)).fetchall()
    values = (USER, *(("USD",) if of_currency else ()), *(line if behind else ()), wallets.MOST_LINES)
    plan = plan_of(url, "force_generic_plan", PAGES[name].text, values, "ANALYZE, BUFFERS")
    assert f"rows={wallets.MOST_LINES} " in plan, plan
    assert pages_of(plan) < 20 * wallets.MOST_LINES, plan


@pytest.mark.parametrize("state", ["filled", "never_analysed"])
def test_what_stood_in_the_middle_of_a_long_history_is_found_in_some_pages(
    request: pytest.FixtureRequest, state: str
) -> None:
    """But for what was set aside, which is added up: by an index that has nothing else, as far as it is there."""
    url = request.getfixturevalue(state)
    with psycopg.connect(url) as connection:
        ((middle,),) = connection.execute(
            "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY created_at) FROM transactions WHERE user_id = %s",
            (USER,),
        ).fetchall()
    asked = ([0], [USER], ["USD"], [middle])
    assert pages_of(plan_of(url, "force_generic_plan", past.STOOD.text, (*asked, [False]), "ANALYZE, BUFFERS")) < 40
    plan = plan_of(url, "force_generic_plan", past.STOOD.text, (*asked, [True]), "ANALYZE, BUFFERS")
    assert "ledger_entries_held" in plan, plan
