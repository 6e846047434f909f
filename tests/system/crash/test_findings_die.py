"""The API dies, or loses its database, while somebody says what a finding was about: it is resolved once, or not."""

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

import httpx
import pytest

from tests.reconciliation.desk import PATH
from tests.system.crash.deeds import COMMITTED, later
from tests.system.crash.fragile import Fragile
from tests.system.crash.proxy import Then
from tests.system.crash.reports import Day, day_with_faults, died
from tests.system.crash.trade import another_api, insist, seen
from tests.system.e2e.house import LIMIT_S, body

WRITES: Final = "strongbox-reconciliation: COMMIT"
"""What is written is sent together with it."""
STEPS: Final = {
    "before it is on record": "strongbox-command: INSERT INTO audit.actions",
    "on record, before it begins": "strongbox-reconciliation: BEGIN",
    "before it is committed": WRITES,
}


@dataclass
class Finding:
    """The first one of a day that was closed."""

    day: Day
    id: str
    run_id: str

    def resolve(self, note: str = "it is fine", port: int | None = None) -> httpx.Response:
        url = f"http://127.0.0.1:{port or self.day.house.ports['HTTP_PORT']}{PATH}/findings/{self.id}/resolve"
        return httpx.post(url, json={"note": note}, headers=self.day.admin.bearer, timeout=LIMIT_S)

    def resolve_later(self, note: str = "it is fine") -> "Future[httpx.Response]":
        return later(self.resolve, note)

    def stands(self) -> tuple[int, str | None]:
        """How many of the run nobody has resolved, and what was said of this one."""
        find = (
            "SELECT r.unresolved, f.note FROM reconciliation.runs r, reconciliation.findings f"
            " WHERE r.id = %s AND f.id = %s"
        )
        ((unresolved, note),) = seen(self.day.house, find, self.run_id, self.id)
        return unresolved, note

    @property
    def before(self) -> tuple[int, str | None]:
        return len(self.day.found), None

    def is_resolved_once(self, note: str = "it is fine") -> None:
        """See that whoever says it again is told the same, and that it counts once."""
        first = body(insist(lambda: self.resolve(note)), 200)
        assert body(self.resolve(note), 200) == first
        assert (first["finding_id"], first["note"]) == (self.id, note)
        assert self.stands() == (len(self.day.found) - 1, note)
        self.day.house.verify()


@pytest.fixture
def finding(house: Fragile) -> Finding:
    """Something to be resolved."""
    day = day_with_faults(house)
    run_id = body(day.hand_in(), 201)["reconciliation_id"]
    find = "SELECT id::text FROM reconciliation.findings WHERE reconciliation_id = %s ORDER BY number LIMIT 1"
    ((finding_id,),) = seen(house, find, run_id)
    return Finding(day, finding_id, run_id)


@pytest.mark.parametrize("step", [*(pytest.param(one, marks=pytest.mark.long) for one in [*STEPS][:2]), [*STEPS][2]])
def test_an_api_that_dies_before_it_is_committed_has_resolved_nothing(
    house: Fragile, finding: Finding, step: str
) -> None:
    with house.postgres.trap(STEPS[step], Then.HOLD) as trap:
        first = finding.resolve_later()
        trap.wait()
        house.kill("api")
        trap.drop()
        died(first)
    house.wait_until_rolled_back("strongbox-reconciliation")
    assert finding.stands() == finding.before
    house.begin("api")
    finding.is_resolved_once()


def test_an_api_that_dies_behind_its_commit_has_resolved_it_once(house: Fragile, finding: Finding) -> None:
    with house.postgres.trap(WRITES, Then.SWALLOW_ANSWERS, COMMITTED) as trap:
        first = finding.resolve_later()
        trap.wait_for_the_answer()
        house.kill("api")
        died(first)
    assert finding.stands() == (len(finding.day.found) - 1, "it is fine")
    house.begin("api")
    finding.is_resolved_once()


def test_a_connection_that_is_lost_at_any_step_is_answered_503_and_the_same_again_resolves_it(
    house: Fragile, finding: Finding
) -> None:
    for step, words in STEPS.items():
        with house.postgres.trap(words, Then.CUT) as trap:
            assert body(finding.resolve(), 503)["error"]["code"] == "UNAVAILABLE"
            trap.wait()
        assert finding.stands() == finding.before, step
    with house.postgres.trap(WRITES, Then.LOSE_THE_ANSWER, COMMITTED) as trap:
        assert finding.resolve().status_code == 503
        trap.wait_for_the_answer()
    finding.is_resolved_once()


def test_two_who_resolve_it_at_two_apis_at_once_resolve_one(house: Fragile, finding: Finding) -> None:
    other = another_api(house)
    with house.postgres.trap(WRITES, Then.HOLD, COMMITTED) as trap:
        first = finding.resolve_later("by the first")
        trap.wait()
        second = later(finding.resolve, "by the second", other.port)
        house.wait_for_session("strongbox-reconciliation", "Lock")
        trap.let_go()
        assert first.result(LIMIT_S).status_code in (200, 503)
        second.result(LIMIT_S)
    # Where it had no patience left for the lock as it came free, it was told to ask again.
    body(insist(lambda: finding.resolve("by the second", other.port)), 200)
    assert finding.stands() == (len(finding.day.found) - 1, "by the second")
    assert house.stop(other.name) == 0
    finding.is_resolved_once("by the first")
