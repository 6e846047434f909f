"""Cashback is found by index, however much there is, and whatever is known of it."""

from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

from app.contexts.rewards.adapters.postgres import entry_rows, ledger, purchase_rows, rule_rows, user_rows, waiting_rows
from app.contexts.rewards.domain.ids import EntryId, PurchaseId
from app.contexts.rewards.domain.sale import Reference
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.kernel.principal import TenantId
from app.main.local.roles import Urls
from app.platform.postgres.pipeline import Call
from tests.plans import cost_of, pages_of, plan_of

MANY = 20_000
MOST_COST = 2_000
TENANT, USER = TenantId(UUID(int=1)), UserId(UUID(int=2))
ONE = UUID(int=3)
USD = Currency("USD")

# A quarter of it is one user's; that one has no address, so that all of theirs is accrued.
_FILL = f"""
    SELECT set_config('app.current_tenant', '{TENANT}', true);
    CREATE TEMPORARY TABLE made ON COMMIT DROP AS
        SELECT n, CASE WHEN n % 4 = 0 THEN '{USER}' ELSE gen_random_uuid() END AS user_id, gen_random_uuid() AS id,
               gen_random_uuid() AS purchase_id, 'm' || n % 7 AS merchant, 'r' || n AS reference,
               now() - make_interval(secs => n) AS at
        FROM generate_series(1, {MANY}) n;
    INSERT INTO rewards.rules (tenant_id, id, basis_points, currency, cap, is_active, created_at, updated_at)
        SELECT '{TENANT}', CASE WHEN n = 1 THEN '{ONE}' ELSE gen_random_uuid() END, 100, 'USD', 5, n < 4, now(), now()
        FROM generate_series(1, 5000) n;
    INSERT INTO rewards.users (bucket, tenant_id, user_id, accrued)
        SELECT get_byte(uuid_send(user_id), 15) & 15, '{TENANT}', user_id, count(*) FROM made GROUP BY user_id;
    INSERT INTO rewards.purchases (bucket, tenant_id, merchant, reference, id, user_id, source, amount, currency, at,
                                   entry_id, cashback, rule_id, status, created_at)
        SELECT get_byte(sha256(convert_to(merchant || E'\\n' || reference, 'UTF8')), 31) & 15, '{TENANT}', merchant,
               reference, purchase_id, user_id, 'purchase', 1, 'USD', at, id, 1, '{ONE}', 'EARNED', at FROM made;
    INSERT INTO rewards.refunds (bucket, tenant_id, user_id, purchase_id, reference, id, amount, reversed, created_at)
        SELECT get_byte(uuid_send(user_id), 15) & 15, '{TENANT}', user_id, purchase_id, 'r', gen_random_uuid(), 1, 0, at
        FROM made;
    INSERT INTO rewards.entries (bucket, tenant_id, user_id, id, purchase_id, rule_id, source, merchant, reference,
                                 amount, reversed, accrued, minting, minted, attempt, told, created_at)
        SELECT get_byte(uuid_send(user_id), 15) & 15, '{TENANT}', user_id, id, purchase_id, '{ONE}', 'purchase',
               merchant, reference, 1, 0, CASE WHEN n % 400 = 0 THEN 1 ELSE 0 END, 0,
               CASE WHEN n % 400 = 0 THEN 0 ELSE 1 END, 1, 1, at FROM made;
    INSERT INTO rewards.cashback_ledger (bucket, tenant_id, user_id, id, entry_id, kind, amount, owed, created_at)
        SELECT get_byte(uuid_send(user_id), 15) & 15, '{TENANT}', user_id, id, id, 'EARNED', 1, 0, at FROM made;
    INSERT INTO rewards.whereabouts (user_id, tenant) SELECT DISTINCT user_id, '{TENANT}'::uuid FROM made;
    INSERT INTO rewards.parked_events (user_id, event_id, source, merchant, reference, amount, currency, at)
        SELECT user_id, id, 'payment', merchant, reference, 1, 'USD', at FROM made;
    INSERT INTO rewards.parked_refunds (user_id, payment_id, event_id, refund_id, amount, currency)
        SELECT user_id, purchase_id, id, id, 1, 'USD' FROM made;
"""
_TABLES = (
    "rules", "users", "purchases", "refunds", "entries", "cashback_ledger", "whereabouts", "parked_events",
    "parked_refunds",
)  # fmt: skip

PURCHASE = PurchaseId(ONE)
HOT: dict[str, Call] = {
    "locked users": user_rows.lock(TENANT, [USER]),
    "one user": user_rows.one(TENANT, USER),
    "open entries": entry_rows.read_open(TENANT, [USER], [USER]),
    "entries that cover a debt": entry_rows.read_covering(TENANT, {USER: 3}),
    "entries": entry_rows.read(TENANT, [USER], [EntryId(ONE)]),
    "purchases by reference": purchase_rows.by_reference(TENANT, [Reference("m1", "r1")]),
    "purchases by id": purchase_rows.by_id(TENANT, [PURCHASE]),
    "rules in force": rule_rows.in_force(TENANT, [USD]),
    "lines": (ledger.LINES, (TENANT, USER, *ledger.BEFORE_ALL, 51)),
    "located": waiting_rows.locate([USER]),
    "taken": waiting_rows.take([USER]),
    "located firmly": waiting_rows.locate_firmly([USER]),
    "taken refunds": waiting_rows.take_refunds([(USER, ONE)]),
    "purchases of payments": purchase_rows.of_payments(TENANT, [ONE]),
}


def fill(urls: Urls, then: str) -> str:
    with psycopg.connect(urls.owner_url) as owner:
        for table in _TABLES:
            owner.execute(f"ALTER TABLE rewards.{table} SET (autovacuum_enabled = false)".encode())
        owner.execute(_FILL.encode())
        for table in _TABLES:
            owner.execute(then.format(f"rewards.{table}").encode())
    return urls.app_url


@pytest.fixture(scope="module")
def filled(make_fresh_database: Callable[[], Urls]) -> str:
    """A database whose tables have grown, and are known to the planner."""
    urls = make_fresh_database()
    url = fill(urls, "ANALYZE {}")
    with psycopg.connect(urls.owner_url, autocommit=True) as owner:
        owner.execute("VACUUM rewards.entries")
    return url


@pytest.fixture(scope="module")
def never_analysed(make_fresh_database: Callable[[], Urls]) -> str:
    """The same without statistics."""
    return fill(make_fresh_database(), "ALTER TABLE {} SET (autovacuum_enabled = false)")


@pytest.mark.parametrize("state", ["filled", "never_analysed"])
@pytest.mark.parametrize("name", HOT)
def test_a_statement_finds_its_rows_by_index(request: pytest.FixtureRequest, state: str, name: str) -> None:
    statement, values = HOT[name]
    plan = plan_of(request.getfixturevalue(state), "force_generic_plan", statement.text, values)
    assert "Seq Scan" not in plan, plan
    assert cost_of(plan) < MOST_COST, plan


def test_a_page_of_lines_is_read_along_its_index(filled: str) -> None:
    statement, values = HOT["lines"]
    plan = plan_of(filled, "force_generic_plan", statement.text, values, "ANALYZE, BUFFERS", TENANT)
    assert pages_of(plan) < 400, plan


def test_what_is_open_is_found_among_all_that_is_not(filled: str) -> None:
    statement, values = HOT["open entries"]
    plan = plan_of(filled, "force_generic_plan", statement.text, values, "ANALYZE, BUFFERS", TENANT)
    assert pages_of(plan) < 400, plan


def test_what_a_rule_has_given_in_this_month_is_added_up_without_the_table(filled: str) -> None:
    statement, values = rule_rows.used(TENANT, [USER], [USD])
    plan = plan_of(filled, "force_generic_plan", statement.text, values)
    assert "Index Only Scan using entries_by_rule" in plan, plan
