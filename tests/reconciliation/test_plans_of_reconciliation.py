"""Runs and findings are found by index, and a report meets its day, however much there is beside."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from app.contexts.reconciliation.adapters.postgres import comparing, figures, runs, staging
from app.contexts.reconciliation.domain.ids import ReconciliationId
from app.main.local.roles import Urls
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.pipeline import Call
from app.platform.postgres.sessions import begin_session_now, session_url
from tests.plans import cost_of, plan_of
from tests.reconciliation.desk import DAY, NEXT, at

MANY = 20_000
MOST_COST = 2_000
TENANT, RUN, FINDING = UUID(int=1), UUID(int=2), UUID(int=3)
BUCKET = bucket_of(TENANT)

_FILL = f"""
    SELECT set_config('app.current_tenant', '{TENANT}', true);
    INSERT INTO reconciliation.runs
        SELECT {BUCKET}, '{TENANT}', CASE n WHEN 1 THEN '{RUN}' ELSE gen_random_uuid() END, date '2020-01-01' + n,
               sha256(n::text::bytea), 1, 0, 0, 1, 1, now() + n * interval '1 s' FROM generate_series(1, {MANY}) n;
    INSERT INTO reconciliation.findings
        (bucket, tenant_id, id, reconciliation_id, number, kind, line, payment_id, their_charge_id, their_amount,
         their_currency, their_occurred_at)
        SELECT {BUCKET}, '{TENANT}', CASE n WHEN 1 THEN '{FINDING}' ELSE gen_random_uuid() END, '{RUN}', n,
               CASE n % 100 WHEN 0 THEN 'doubled' ELSE 'missing_here' END, n, gen_random_uuid(), gen_random_uuid(), 1,
               'USD', now() FROM generate_series(1, {MANY}) n;
    INSERT INTO reconciliation.carried
        SELECT {BUCKET}, '{TENANT}', r.id, 1, r.date, 'charge', gen_random_uuid(), NULL, NULL, NULL, NULL, NULL, r.id
        FROM reconciliation.runs r;
    INSERT INTO reconciliation.reported
        SELECT get_byte(p, 3) & 15, '{TENANT}', p, '{RUN}', ARRAY[gen_random_uuid()]
        FROM (SELECT substr(sha256(n::text::bytea), 1, 4) AS p FROM generate_series(1, {MANY}) n) x;
    INSERT INTO payments (user_id, id, transaction_id, idempotency_key, provider_id, external_reference, amount,
                          currency, status, created_at, finalized_at, tenant_id)
        SELECT u, u, u, 'k', u, 'r', 5, 'USD', 'APPROVED', t, t, '{TENANT}'
        FROM (SELECT gen_random_uuid() AS u, timestamptz '2025-01-01Z' + n * interval '25 minutes' AS t
              FROM generate_series(1, {MANY}) n) x;
"""
_TABLES = (
    "reconciliation.runs", "reconciliation.findings", "reconciliation.carried", "reconciliation.reported", "payments",
)  # fmt: skip

HOT: dict[str, Call] = {
    "runs": (runs.NEWEST, (TENANT, *runs.BEFORE_ALL, 51)),
    "days": (runs.DAYS, (BUCKET, TENANT, "2025-06-01", "2025-07-01")),
    "one run": (runs.ONE, (BUCKET, TENANT, ReconciliationId(RUN))),
    "findings": (runs.FINDINGS, (BUCKET, TENANT, RUN, "", 0, 51)),
    "findings of a kind": (runs.OF_A_KIND, (BUCKET, TENANT, RUN, "doubled", 500, 51)),
    "a finding's place": (runs.PLACE, (BUCKET, TENANT, FINDING)),
    "one finding": (runs.FINDING, (BUCKET, TENANT, FINDING)),
    "locked finding": (runs.LOCK, (BUCKET, TENANT, FINDING)),
}


@pytest.fixture(scope="module")
def filled(make_fresh_database: Callable[[], Urls]) -> Urls:
    """A database whose tables have grown, and are known to the planner."""
    urls = make_fresh_database()
    with psycopg.connect(urls.owner_url) as owner:
        owner.execute(_FILL.encode())
    with psycopg.connect(urls.owner_url, autocommit=True) as owner:
        for table in _TABLES:
            owner.execute(f"VACUUM (ANALYZE) {table}".encode())
    return urls


@pytest.mark.parametrize("name", HOT)
def test_a_statement_finds_its_rows_by_index(filled: Urls, name: str) -> None:
    statement, values = HOT[name]
    plan = plan_of(filled.app_url, "force_generic_plan", statement.text, values, tenant=TENANT)
    assert "Seq Scan" not in plan, plan
    assert cost_of(plan) < MOST_COST, plan


def test_what_is_unresolved_is_added_up_over_runs_alone(filled: Urls) -> None:
    plan = plan_of(filled.app_url, "force_generic_plan", figures.TOTALS.text, (BUCKET, TENANT), tenant=TENANT)
    assert "findings" not in plan, plan


def test_a_report_meets_its_day_and_not_the_table(filled: Urls) -> None:
    known = {
        "tenant_id": TENANT, "bucket": BUCKET, "keeps_keys": False, "may_carry": True, "date": DAY,
        "begins": at(DAY, "00:00"), "ends": at(NEXT, "00:00"), "until": at(DAY, "00:00") + timedelta(days=1),
    }  # fmt: skip
    with psycopg.connect(session_url(filled.app_url, "plans"), autocommit=True) as connection:
        begin_session_now(connection, {"max_parallel_workers_per_gather": 0})
        with connection.transaction():
            connection.execute("SELECT set_config('app.current_tenant', %s, true)", [str(TENANT)])
            connection.execute(staging._MAKE.encode())
            connection.execute(comparing.MAKE.encode())
            rows = connection.execute(f"EXPLAIN {comparing.COMPARE}".encode(), known).fetchall()
    plan = "\n".join(row[0] for row in rows)
    assert "Bitmap Index Scan on payments_finalized" in plan, plan
    assert "Index Scan using payments_pkey" in plan, plan
    assert "Seq Scan on payments" not in plan, plan
    assert "Seq Scan on reported" not in plan, plan
    for told in (line for line in plan.splitlines() if "prefix = " in line):
        assert "Index Cond: ((bucket = " in told, plan
