"""Payments settle while they are compared: each is seen as it is at one moment, whatever is locked meanwhile."""

from concurrent.futures import ThreadPoolExecutor

import psycopg

from tests.api_harness import wait_until
from tests.reconciliation.desk import DAY, Desk, Row, at, line, report


def test_a_payment_that_settles_meanwhile_is_pending_or_settled_and_not_both(desk: Desk) -> None:
    settles, stands = Row(desk.tenant, "PENDING"), Row(desk.tenant)
    desk.put([settles, stands])
    body = report(line(settles), line(stands))
    with ThreadPoolExecutor() as threads, psycopg.connect(desk.superuser_url) as other:
        # Whatever of the comparison looks at what days before have left waits from here on.
        other.execute("LOCK TABLE reconciliation.carried IN ACCESS EXCLUSIVE MODE")
        comparing = threads.submit(desk.run, body)
        wait_until(lambda: _waiting(desk))
        desk.settle(settles, "APPROVED", at(DAY))
        other.rollback()
        run = comparing.result(300)
    assert (run["lines"], run["matched"], run["carried"], run["findings"]) == (2, 2, 0, 0), desk.findings(run)


def test_two_runs_of_a_tenant_take_turns(desk: Desk) -> None:
    pending = Row(desk.tenant, "PENDING")
    desk.put([pending])
    bodies = [report(line(pending, amount=nth)) for nth in range(1, 5)]
    with ThreadPoolExecutor(4) as threads:
        runs = [*threads.map(desk.run, bodies), *threads.map(desk.run, bodies)]
    assert len({run["reconciliation_id"] for run in runs}) == 4
    assert [run["carried"] for run in runs] == [1] * 8


def _waiting(desk: Desk) -> bool:
    return bool(
        desk.query(
            "SELECT 1 FROM pg_locks WHERE relation = 'reconciliation.carried'::regclass AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    )
