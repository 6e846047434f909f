"""Whoever moves money dies, or loses the database, at each point of what is done: it is done once or not at all."""

import pytest

from tests.system.crash.deeds import ALL, COMMITTED, WRITES, Deed, Place, deed, places
from tests.system.crash.fragile import Fragile
from tests.system.crash.proxy import Then


@pytest.fixture
def at(house: Fragile) -> dict[str, Place]:
    """Whom to ask."""
    return places(house)


def some(*short: str) -> list[object]:
    """All deeds, of which these are tried by `make test` as well."""
    return [what if what in short else pytest.param(what, marks=pytest.mark.long) for what in ALL]


def _died(answer: object) -> None:
    assert isinstance(answer, Exception), f"a dead process answered {answer}"


def _killed_at(house: Fragile, one: Deed, words: str) -> None:
    """Kill whoever does it before those words are with the database."""
    with house.postgres.trap(words, Then.HOLD) as trap:
        first = one.later()
        trap.wait()
        house.kill(one.at.name)
        trap.drop()
        _died(first.exception(60))
    house.wait_until_rolled_back("strongbox-move")


def _happens_now(house: Fragile, one: Deed) -> None:
    """It has not, and does when asked for again."""
    assert one.stands() == one.before
    one.at.begin()
    one.is_done_once()
    house.verify()


@pytest.mark.parametrize("what", some("send", "capture"))
def test_who_dies_before_it_begins_has_done_nothing(house: Fragile, at: dict[str, Place], what: str) -> None:
    one = deed(what, house, at)
    _killed_at(house, one, "strongbox-move: BEGIN")
    _happens_now(house, one)


@pytest.mark.parametrize("what", some("hold", "receive", "each"))
def test_who_dies_with_everything_locked_has_done_nothing(house: Fragile, at: dict[str, Place], what: str) -> None:
    one = deed(what, house, at)
    _killed_at(house, one, WRITES)
    _happens_now(house, one)


LAST_WRITTEN = {"forbid": "operations"}
"""What is written last of all; of what tells nobody, that which is written at all."""


@pytest.mark.parametrize("what", some("bulk", "send", "release", "forbid"))
def test_who_dies_inside_has_done_nothing(house: Fragile, at: dict[str, Place], what: str) -> None:
    one = deed(what, house, at)
    last = LAST_WRITTEN.get(what, "funds.outbox_events")
    house.dies_waiting(one.now, last, "strongbox-move", one.at.name, one.at.begin)
    _happens_now(house, one)


@pytest.mark.parametrize("then", [Then.CUT, Then.LOSE_THE_ANSWER], ids=["not sent", "not answered"])
@pytest.mark.parametrize("what", some("send", "capture", "forbid"))
def test_a_lost_commit_is_decided_by_the_same_process_once(
    house: Fragile, at: dict[str, Place], what: str, then: Then
) -> None:
    one = deed(what, house, at)
    with house.postgres.trap(WRITES, then, COMMITTED) as trap:
        answer = one.now()
        trap.wait()
    assert answer.known, answer
    one.is_done_once(answer)
    house.verify()


@pytest.mark.parametrize("what", some("send", "bulk", "each", "hold", "capture"))
def test_who_dies_behind_its_commit_has_done_it_and_whoever_asks_again_is_told(
    house: Fragile, at: dict[str, Place], what: str
) -> None:
    one = deed(what, house, at)
    with house.postgres.trap(WRITES, Then.SWALLOW_ANSWERS, COMMITTED) as trap:
        first = one.later()
        trap.wait_for_the_answer()
        assert one.stands() == one.after
        house.kill(one.at.name)
        _died(first.exception(60))
    one.at.begin()
    one.is_done_once()
    house.verify()
