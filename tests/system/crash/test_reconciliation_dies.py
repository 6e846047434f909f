"""Whoever takes a report in and compares it dies at each step, or loses the database: it is kept once, or not."""

import threading
from collections.abc import Iterator
from typing import Final

import httpx
import pytest

from tests.reconciliation.desk import PATH
from tests.system.crash.deeds import COMMITTED, later
from tests.system.crash.fragile import Fragile
from tests.system.crash.proxy import Then
from tests.system.crash.reports import COMMIT, Day, day_with_faults, died
from tests.system.e2e.house import LIMIT_S, body, wait_until

STEPS: Final = {
    "before it begins": "strongbox-reconcile: BEGIN",
    "read, before its turn": r"strongbox-reconcile: \s*SELECT pg_advisory_xact_lock",
    "before it is compared": r"strongbox-reconcile: \s*INSERT INTO pg_temp.report_met",
    "compared, before the run is kept": r"strongbox-reconcile: \s*INSERT INTO reconciliation.runs",
    "before its findings are kept": r"strongbox-reconcile: \s*INSERT INTO reconciliation.findings",
    "before what was carried is taken": r"strongbox-reconcile: \s*UPDATE reconciliation.carried",
    "before what is to be carried is kept": r"strongbox-reconcile: \s*INSERT INTO reconciliation.carried",
    "before it is kept what was told": r"strongbox-reconcile: \s*INSERT INTO reconciliation.reported",
    "before it is committed": COMMIT,
}
SHORT: Final = ("before its findings are kept", "before it is committed")
"""The others are of the long form."""


@pytest.fixture
def day(house: Fragile) -> Day:
    """A day to be closed."""
    return day_with_faults(house)


@pytest.mark.parametrize(
    "step", [step if step in SHORT else pytest.param(step, marks=pytest.mark.long) for step in STEPS]
)
def test_an_api_that_dies_at_a_step_has_kept_nothing_and_the_same_report_closes_the_day(
    house: Fragile, day: Day, step: str
) -> None:
    with house.postgres.trap(STEPS[step], Then.HOLD) as trap:
        first = day.hand_in_later()
        trap.wait()
        house.kill("api")
        trap.drop()
        died(first)
    _is_kept_by_the_next_api_alone(house, day)


def test_an_api_that_dies_over_half_a_body_has_kept_nothing(house: Fragile, day: Day) -> None:
    sent, go_on = threading.Event(), threading.Event()

    def halves() -> Iterator[bytes]:
        yield day.report[: len(day.report) // 2]
        sent.set()
        go_on.wait(LIMIT_S)
        yield day.report[len(day.report) // 2 :]

    headers = day.admin.bearer | {"Content-Type": "text/csv"}
    url = f"{house.api_url}{PATH}?date={day.date}"
    first = later(httpx.post, url, content=halves(), headers=headers, timeout=LIMIT_S)
    assert sent.wait(LIMIT_S)
    house.kill("api")
    go_on.set()
    died(first)
    assert day.kept() == day.before
    house.begin("api")
    day.is_closed_once()


def test_an_api_that_dies_while_the_database_reads_the_report_has_kept_nothing(house: Fragile, day: Day) -> None:
    day.lengthen(3_000)  # some 400 KB, of which the last of many pieces is held
    with house.postgres.trap("strongbox-reconcile: copied", Then.HOLD) as trap:
        first = day.hand_in_later()
        trap.wait()
        with house.as_superuser() as session:
            reading = "SELECT FROM pg_stat_progress_copy WHERE datname = current_database() AND bytes_processed > 0"
            wait_until(lambda: bool(session.execute(reading).fetchall()), "half of the report to be read")
        house.kill("api")
        trap.drop()
        died(first)
    _is_kept_by_the_next_api_alone(house, day)


def test_an_api_that_dies_in_the_midst_of_a_statement_has_kept_nothing(house: Fragile, day: Day) -> None:
    with house.locked("reconciliation.findings"):
        first = day.hand_in_later()
        house.wait_for_session("strongbox-reconcile", "Lock", "INSERT INTO reconciliation.findings")
        house.kill("api")
        died(first)
    _is_kept_by_the_next_api_alone(house, day)


def test_an_api_that_dies_behind_its_commit_has_closed_the_day_and_the_same_report_is_told_so(
    house: Fragile, day: Day
) -> None:
    with house.postgres.trap(COMMIT, Then.SWALLOW_ANSWERS, COMMITTED) as trap:
        first = day.hand_in_later()
        trap.wait_for_the_answer()
        assert day.kept() == day.after
        house.kill("api")
        died(first)
    house.begin("api")
    day.is_closed_once()


def test_a_connection_that_is_lost_at_any_step_is_answered_503_and_nothing_is_kept(house: Fragile, day: Day) -> None:
    for step, words in STEPS.items():
        with house.postgres.trap(words, Then.CUT) as trap:
            _is_not_done(day.hand_in())
            trap.wait()
        assert day.kept() == day.before, step
    day.is_closed_once()


def test_a_commit_whose_answer_is_lost_is_found_by_the_same_report(house: Fragile, day: Day) -> None:
    with house.postgres.trap(COMMIT, Then.LOSE_THE_ANSWER, COMMITTED) as trap:
        _is_not_done(day.hand_in())
        trap.wait_for_the_answer()
    assert day.kept() == day.after
    day.is_closed_once()


def test_postgresql_killed_in_the_midst_of_a_run_is_answered_503_and_nothing_is_kept(house: Fragile, day: Day) -> None:
    with house.postgres.trap(STEPS["before its findings are kept"], Then.HOLD) as trap:
        first = day.hand_in_later()
        trap.wait()
        house.server.kill()
        house.server.stop()
        trap.let_go()
        _is_not_done(first.result(LIMIT_S))
        house.server.start()
    assert day.kept() == day.before
    day.is_closed_once()


def test_a_session_that_falls_silent_holds_up_a_request_for_its_time_and_the_day_not_at_all(
    house: Fragile, day: Day
) -> None:
    with house.postgres.trap(COMMIT, Then.SWALLOW_ANSWERS, COMMITTED) as trap:
        _is_not_done(day.hand_in())
        trap.wait_for_the_answer()
        day.is_closed_once()
    house.kill("api")  # else it would wait for that session until its grace is over
    house.begin("api")


def _is_kept_by_the_next_api_alone(house: Fragile, day: Day) -> None:
    house.wait_until_rolled_back("strongbox-reconcile")
    assert day.kept() == day.before
    house.begin("api")
    day.is_closed_once()


def _is_not_done(answer: httpx.Response) -> None:
    assert body(answer, 503)["error"]["code"] == "UNAVAILABLE"
    assert "Retry-After" in answer.headers
