"""Two who do the same thing at once, and those who sleep over it: only the database stands between them."""

import json

import pytest

from app.platform.postgres.pool import IDLE_IN_TRANSACTION_TIMEOUT_MS
from tests.system.crash.deeds import WRITES, Place, deed, ending_hold, forbidden, later, places, wallet_of
from tests.system.crash.fragile import Fragile
from tests.system.crash.proxy import Then
from tests.system.crash.test_money_dies import some
from tests.system.e2e.crowd import person
from tests.system.e2e.house import wait_until
from tests.system.teller.asking import ask

GIVEN_UP_S = IDLE_IN_TRANSACTION_TIMEOUT_MS / 1_000 + 60


@pytest.fixture
def at(house: Fragile) -> dict[str, Place]:
    """Whom to ask."""
    return places(house)


@pytest.mark.parametrize("what", some("send", "hold", "capture"))
def test_what_two_processes_do_at_once_is_done_once(house: Fragile, at: dict[str, Place], what: str) -> None:
    one = deed(what, house, at)
    other = one.at.another()
    with house.postgres.trap(WRITES, Then.HOLD) as writing:
        first = one.later()
        writing.wait()
        meanwhile = one.now(other)
        assert (meanwhile.known, one.stands()) == (False, one.before)
        writing.let_go()
        answer = first.result(60)
    told = one.insist(other)
    assert told == answer or not answer.known, "who was held up for too long by this test is told so"
    one.is_done_once(told)
    assert house.stop(other.name) == 0
    house.verify()


@pytest.mark.parametrize("what", some("send"))
def test_what_a_sleeper_has_begun_another_does_and_the_sleeper_is_told(
    house: Fragile, at: dict[str, Place], what: str
) -> None:
    """The database gives up on who sleeps in a transaction: a minute and these seconds are the same to it."""
    one = deed(what, house, at)
    other = one.at.another()
    with house.postgres.trap(WRITES, Then.HOLD) as writing:
        first = one.later()
        writing.wait()
        with house.paused(one.at.name):
            house.wait_until_rolled_back("strongbox-move")
            answer = one.insist(other)
            assert one.stands() == one.after
            writing.let_go()
        woken = first.result(GIVEN_UP_S)
    assert woken == answer or not woken.known
    one.is_done_once(answer)
    assert house.stop(other.name) == 0
    house.verify()


@pytest.mark.parametrize("what", some("send"))
def test_who_sleeps_before_it_begins_finds_it_done(house: Fragile, at: dict[str, Place], what: str) -> None:
    one = deed(what, house, at)
    other = one.at.another()
    with house.postgres.trap("strongbox-move: BEGIN", Then.HOLD) as beginning:
        first = one.later()
        beginning.wait()
        with house.paused(one.at.name):
            answer = one.insist(other)
            beginning.let_go()
        woken = first.result(GIVEN_UP_S)
    assert woken == answer or not woken.known
    one.is_done_once(answer)
    assert house.stop(other.name) == 0
    house.verify()


def test_what_is_under_way_is_waited_for_by_who_forbids_it(house: Fragile, at: dict[str, Place]) -> None:
    one = deed("hold", house, at)
    forbidding = forbidden(one)
    other = one.at.another()
    with house.postgres.trap(WRITES, Then.HOLD) as writing:
        first = one.later()
        writing.wait()
        assert not forbidding.now(other).known
        writing.let_go()
        held = first.result(60)
    answer = one.insist()
    assert answer == held or not held.known, "who was held up for too long by this test is told so"
    assert forbidding.insist(other) == answer
    one.is_done_once(answer)
    assert house.stop(other.name) == 0
    house.verify()


def test_what_is_forbidden_while_its_process_sleeps_is_not_done_when_it_wakes(
    house: Fragile, at: dict[str, Place]
) -> None:
    one = deed("hold", house, at)
    other = one.at.another()
    with house.postgres.trap("strongbox-move: BEGIN", Then.HOLD) as beginning:
        first = one.later()
        beginning.wait()
        with house.paused(one.at.name):
            assert json.loads(forbidden(one).insist(other).content) == {"forbidden": True}
            beginning.let_go()
        assert json.loads(first.result(60).content) == {"refused": "FORBIDDEN_OPERATION"}
    assert one.stands() == one.before
    assert json.loads(one.insist().content) == {"refused": "FORBIDDEN_OPERATION"}
    assert house.stop(other.name) == 0
    house.verify()


def test_a_capture_that_sleeps_over_the_end_of_its_hold_is_refused(house: Fragile, at: dict[str, Place]) -> None:
    teller, bob = at["teller"], person(house)
    ada, hold = ending_hold(house, teller, in_s=4)
    with house.postgres.trap("strongbox-move: BEGIN", Then.HOLD) as beginning:
        first = later(ask, teller.port, ask="capture", parts=[[str(bob.id), 400]], **hold)
        beginning.wait()
        with house.paused("teller"):
            wait_until(lambda: wallet_of(house, ada) == (1_000, 0), "the end of the hold")
            beginning.let_go()
        assert first.result(60) == {"refused": "HOLD_CLOSED"}
    assert (wallet_of(house, ada), wallet_of(house, bob)) == ((1_000, 0), None)
    house.verify()
