"""What refunds and the pages of `/v1` ask for is found by index, however much there is, and whatever is known of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.contexts.payments.adapters.postgres import pending_refunds, reader, refund_rows, rows
from app.contexts.payments.adapters.postgres.idempotency import REFUND_KEYS
from app.contexts.payments.application.read_payments import Filter, Place
from app.contexts.payments.domain.payment import Status
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.main.local.roles import Urls
from app.platform.postgres.buckets import bucket_of
from tests.builders import NOON
from tests.plans import cost_of, pages_of, plan_of

PAYMENTS = 20_000
MOST_COST = 1_000
TENANT, OTHER = TenantId(UUID(int=1)), TenantId(UUID(int=2))
USERS = [UserId(uuid4()) for _ in range(32)]
IDS = [uuid4() for _ in USERS]
BUCKETS = [bucket_of(user) for user in USERS]

# One user has half of the payments, and one payment hundreds of refunds; a hundredth is pending.
_FILL = f"""
    CREATE TEMPORARY TABLE made ON COMMIT DROP AS
        SELECT n, CASE WHEN n % 2 = 0 THEN '{USERS[0]}'::uuid ELSE gen_random_uuid() END AS user_id,
               CASE n WHEN 2 THEN '{IDS[0]}'::uuid ELSE gen_random_uuid() END AS id,
               gen_random_uuid() AS transaction_id,
               now() - make_interval(secs => n) AS at
        FROM generate_series(1, {PAYMENTS}) n;
    INSERT INTO payments (user_id, id, transaction_id, idempotency_key, provider_id, external_reference, amount,
                          currency, status, created_at, finalized_at, tenant_id, asked_by, metadata)
    SELECT user_id, id, transaction_id, 'k' || n, gen_random_uuid(), 'r' || n % 5000, 1, 'USD', 'APPROVED', at, at,
           CASE WHEN n % 4 <> 0 THEN '{TENANT}'::uuid END, CASE WHEN n % 4 <> 0 THEN user_id END,
           CASE WHEN n % 3 = 0 THEN jsonb_build_object('order', 'o' || n) END
    FROM made;
    INSERT INTO transactions (user_id, id, kind, payment_id, amount, currency, status, created_at)
    SELECT user_id, transaction_id, 'PAYMENT', id, 1, 'USD', 'APPROVED', at FROM made;
    INSERT INTO payments.refunds (bucket, tenant_id, user_id, id, payment_id, asked_by, idempotency_key, amount,
                                  currency, status, created_at, finalized_at)
    SELECT get_byte(uuid_send(user_id), 15) & 15, '{TENANT}', user_id, gen_random_uuid(), id, user_id, 'k' || n, 1,
           'USD', CASE WHEN n % 100 = 0 THEN 'PENDING' ELSE 'COMPLETED' END, at, CASE WHEN n % 100 <> 0 THEN at END
    FROM (SELECT * FROM made UNION ALL SELECT m.* FROM made m, generate_series(1, 500) WHERE m.id = '{IDS[0]}') m;
"""
_TABLES = ("payments", "transactions", "payments.refunds")

GENERIC: dict[str, tuple[str, tuple[Any, ...]]] = {
    "claim keys of refunds": (
        REFUND_KEYS.claiming.text,
        (USERS, ["k"] * 32, [b"f"] * 32, IDS, IDS, [TENANT] * 32, [False] * 32),
    ),
    "lock payments by id": (rows.LOCK_BY_ID.text, (IDS,)),
    "lock refunds": (refund_rows.LOCK.text, (BUCKETS, USERS, IDS)),
    "settle refunds": (
        refund_rows.SETTLE.text, (BUCKETS, USERS, IDS, ["REFUSED"] * 32, ["X"] * 32, [NOON] * 32),
    ),
    "a payment": (reader.PAYMENT.text, (IDS[1],)),
    "a refund": (reader.REFUND.text, (IDS[1],)),
    "put off": (pending_refunds.PUT_OFF, (BUCKETS[0], USERS[0], IDS[0])),
}  # fmt: skip
PAGES: dict[str, tuple[list[TenantId | None] | None, Filter]] = {
    "a tenant's": ([TENANT], Filter()),
    "a tenant's, and those of keys": ([TENANT, None], Filter()),
    "of a tenant without any": ([OTHER], Filter()),
    "by reference": ([TENANT, None], Filter(reference="r7")),
    "by what was noted": ([TENANT, None], Filter(metadata={"order": "o9"})),
    "of a status": ([TENANT], Filter(status=Status.APPROVED)),
    "of a time": ([TENANT], Filter(since=NOON - timedelta(days=9000), until=NOON + timedelta(days=9000))),
    "a user's": (None, Filter(user_id=USERS[0])),
    "a user's, of a tenant": ([TENANT, None], Filter(user_id=USERS[0])),
    "a user's with filters": (
        None, Filter(user_id=USERS[0], status=Status.APPROVED, since=NOON - timedelta(days=9000)),
    ),
}  # fmt: skip


def fill(urls: Urls, then: str) -> str:
    with psycopg.connect(urls.owner_url) as owner:
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
@pytest.mark.parametrize("name", GENERIC)
def test_a_statement_finds_its_rows_by_index(request: pytest.FixtureRequest, state: str, name: str) -> None:
    text, values = GENERIC[name]
    plan = plan_of(request.getfixturevalue(state), "force_generic_plan", text, values)
    assert "Seq Scan" not in plan, plan
    assert state != "filled" or cost_of(plan) < MOST_COST, plan


@pytest.mark.parametrize("state", ["filled", "never_analysed"])
def test_what_is_given_back_of_payments_is_added_up_by_index(request: pytest.FixtureRequest, state: str) -> None:
    text, values = refund_rows.PROMISED.text, (IDS[1:],)
    plan = plan_of(request.getfixturevalue(state), "force_generic_plan", text, values)
    assert "Seq Scan" not in plan, plan


@pytest.mark.parametrize("state", ["filled", "never_analysed"])
def test_what_is_pending_is_found_among_all_that_is_not(request: pytest.FixtureRequest, state: str) -> None:
    url = request.getfixturevalue(state)
    sweep = plan_of(url, "force_custom_plan", pending_refunds.TAKE, (15.0, 5.0, 15.0, 300.0, 10))
    backlog = plan_of(url, "force_custom_plan", pending_refunds._BACKLOG, (25.0,))
    assert "refunds_pending" in sweep, sweep
    assert "refunds_pending" in backlog, backlog
    assert "Seq Scan" not in sweep + backlog


@pytest.mark.parametrize("state", ["filled", "never_analysed"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_read_along_an_index(request: pytest.FixtureRequest, state: str, name: str) -> None:
    url = request.getfixturevalue(state)
    tenants, wanted = PAGES[name]
    statement, values = reader.page_of(tenants, wanted, None, 51)
    plan = plan_of(url, "force_generic_plan", statement.text, values)
    assert "Seq Scan" not in plan, plan
    if state == "filled":
        read = plan_of(url, "force_generic_plan", statement.text, values, "ANALYZE, BUFFERS")
        assert pages_of(read) < 6_000, read
    behind = reader.page_of(tenants, wanted, Place(NOON, IDS[5]), 51)
    assert "Seq Scan" not in plan_of(url, "force_generic_plan", behind[0].text, behind[1])


@pytest.mark.parametrize("state", ["filled", "never_analysed"])
def test_a_page_of_a_payments_refunds_is_read_along_its_index(request: pytest.FixtureRequest, state: str) -> None:
    values = (IDS[0], NOON + timedelta(days=36500), IDS[0], 51)
    plan = plan_of(
        request.getfixturevalue(state), "force_generic_plan", reader.REFUNDS.text, values, "ANALYZE, BUFFERS"
    )
    assert "Seq Scan" not in plan, plan
    assert pages_of(plan) < 400, plan
