"""`strongbox reconcile` dies in the midst of a file, or of what the gateway serves, or the gateway does: never half a
run, and the same again closes the day."""

import json
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from app.contexts.reconciliation.domain.finding import Kind
from tests import forks
from tests.system.crash.deeds import COMMITTED
from tests.system.crash.fragile import Fragile
from tests.system.crash.proxy import Then
from tests.system.crash.reports import COMMIT, Day, day_with_faults, empty_day
from tests.system.e2e.house import LIMIT_S

SERVED: Final = "GET /reports/"
FINDINGS, NOT_DONE = 1, 3
"""Exit codes."""


@pytest.fixture
def day(house: Fragile, tmp_path: Path) -> Day:
    """A day whose report is a file of many pieces."""
    day = day_with_faults(house)
    day.lengthen(3_000)
    (tmp_path / "report.csv").write_bytes(day.report)
    return day


@pytest.fixture
def words(day: Day, tmp_path: Path) -> tuple[str, ...]:
    """What compares it."""
    return str(tmp_path / "report.csv"), "--date", str(day.date), "--tenant", day.tenant


@pytest.fixture
def served(house: Fragile) -> Day:
    """A day of which the gateway serves a report, with wrong amounts."""
    day = empty_day(house)
    paid = [day.paid() for _ in range(3)]
    house.mode("happy", report="wrong_amount")
    report = httpx.get(f"{house.gateway_url}/reports/{day.date}").raise_for_status().text.splitlines()
    for number, line in enumerate(report, 1):
        if line.split(",")[2] in paid:
            day.lines.append(line)
            day.found.append((Kind.AMOUNT_DIFFERS.value, line.split(",")[2], number))
    assert len(day.found) == len(paid)
    return day


def begun(house: Fragile, *words: str, name: str = "reconcile") -> forks.Process:
    """The command, which talks to database and gateway as the API does."""
    house.own["reconcile"] = house.own["api"]
    return house.start(name, "app", "reconcile", *words)


def again(house: Fragile, *words: str) -> dict[str, Any]:
    """What comes of it."""
    told: dict[str, Any] = json.loads(house.command("reconcile", *words, "--json", code=FINDINGS))
    return told


@pytest.mark.parametrize(
    "step",
    ["strongbox-reconcile: copied", pytest.param(COMMIT, marks=pytest.mark.long)],
    ids=["in the midst of the file", "before it is committed"],
)
def test_a_command_that_dies_in_the_midst_of_a_file_has_kept_nothing(
    house: Fragile, day: Day, words: tuple[str, ...], step: str
) -> None:
    with house.postgres.trap(step, Then.HOLD) as trap:
        begun(house, *words)
        trap.wait()
        house.kill("reconcile")
        trap.drop()
    house.wait_until_rolled_back("strongbox-reconcile")
    assert day.kept() == day.before
    day.is_as_it_should_be(again(house, *words))
    day.is_closed_once()


def test_a_command_that_dies_behind_its_commit_has_closed_the_day(
    house: Fragile, day: Day, words: tuple[str, ...]
) -> None:
    with house.postgres.trap(COMMIT, Then.SWALLOW_ANSWERS, COMMITTED) as trap:
        begun(house, *words)
        trap.wait_for_the_answer()
        house.kill("reconcile")
    assert day.kept() == day.after
    day.is_as_it_should_be(again(house, *words))
    day.is_closed_once()


@pytest.mark.parametrize(
    "then",
    [Then.LOSE_THE_ANSWER, pytest.param(Then.CUT, marks=pytest.mark.long)],
    ids=["not answered", "not sent"],
)
def test_a_command_whose_commit_is_lost_says_that_it_was_not_done_and_the_same_again_tells(
    house: Fragile, day: Day, words: tuple[str, ...], then: Then
) -> None:
    with house.postgres.trap(COMMIT, then, COMMITTED) as trap:
        assert begun(house, *words).wait(LIMIT_S) == NOT_DONE
        trap.wait()
    assert day.kept() == (day.after if then is Then.LOSE_THE_ANSWER else day.before)
    day.is_as_it_should_be(again(house, *words))
    day.is_closed_once()


def test_a_command_that_dies_while_the_gateway_is_asked_has_kept_nothing(house: Fragile, served: Day) -> None:
    words = ("--date", str(served.date), "--tenant", served.tenant)
    with house.gateway.trap(SERVED, Then.HOLD) as trap:
        begun(house, *words)
        trap.wait()
        house.kill("reconcile")
        trap.drop()
    assert served.kept() == served.before
    _closes(house, served, *words)


def test_a_report_that_the_gateway_does_not_come_to_the_end_of_is_none(house: Fragile, served: Day) -> None:
    words = ("--date", str(served.date), "--tenant", served.tenant)
    with house.gateway.trap(SERVED, Then.LOSE_THE_ANSWER) as trap:
        assert begun(house, *words).wait(LIMIT_S) == NOT_DONE
        trap.wait_for_the_answer()
    assert served.kept() == served.before
    _closes(house, served, *words)


def test_two_commands_that_close_one_day_at_once_make_one_run(house: Fragile, served: Day) -> None:
    words = ("--date", str(served.date), "--tenant", served.tenant)
    with house.postgres.trap(COMMIT, Then.HOLD, COMMITTED) as trap:
        first = begun(house, *words)
        trap.wait()
        second = begun(house, *words, name="reconcile2")
        house.wait_for_session("strongbox-reconcile", "Lock")
        trap.let_go()
        assert (first.wait(LIMIT_S), second.wait(LIMIT_S)) == (FINDINGS, FINDINGS)
    _closes(house, served, *words)


def _closes(house: Fragile, served: Day, *words: str) -> None:
    """See that the day is closed once, however often it is asked for."""
    told = again(house, *words)
    served.is_as_it_should_be(told)
    assert again(house, *words) == told
    assert served.kept() == served.after
    house.verify()
