"""An API dies between any two steps of a bid, before and behind each COMMIT: the bid counts, or it has never been; none
is placed later than that.
"""

from collections.abc import Callable

import httpx
import pytest

from tests.system.crash.bidding import BID, INTENT, MONEY, STRUCK_OUT, a_contest, all_is_well
from tests.system.crash.deeds import COMMITTED, Place, later
from tests.system.crash.fragile import Fragile
from tests.system.crash.proxy import Then
from tests.system.crash.trade import ENDS, another_api, dies
from tests.system.e2e.house import body

STEPS = {"1 intent": INTENT, "2 hold": MONEY, "3 bid": BID, "4 release": MONEY, "5 struck out": STRUCK_OUT}
SHORT = ("2 hold behind", "3 bid before", "3 bid behind", "4 release before")


@pytest.mark.parametrize(
    ("step", "end"),
    [
        pytest.param(step, end, id=f"{step} {end}", marks=() if f"{step} {end}" in SHORT else pytest.mark.long)
        for step in STEPS
        for end in ENDS
    ],
)
def test_a_bid_whose_api_dies_counts_or_has_never_been(house: Fragile, step: str, end: str) -> None:
    contest = a_contest(house)
    if step > "4":
        told = _dies_behind_the_answer(house, STEPS[step], end, contest.bid)
        assert body(told, 201)["leading"]
    else:
        dies(house, STEPS[step], end, contest.bid)
    counts = (step, end) >= ("3 bid", "behind")
    contest.wait_until_over()
    assert contest.stands() == (contest.outbid if counts else contest.before)
    assert contest.stored() == [(201,)] * counts, "who asks again is told, or has the key to himself"
    house.begin("api")
    again = contest.insist()
    assert body(again, 201)["leading"]
    contest.wait_until_over()
    assert contest.stands() == contest.outbid
    assert contest.insist().content == again.content
    all_is_well(house)


def _dies_behind_the_answer(house: Fragile, words: str, end: str, do: Callable[[], httpx.Response]) -> httpx.Response:
    """Do it, and kill the API while it sees to what the answer has left to be done."""
    then = Then.HOLD if end == "before" else Then.SWALLOW_ANSWERS
    with house.postgres.trap(BID, Then.HOLD) as bidding:
        doing = later(do)
        bidding.wait()
        with house.postgres.trap(words, then, COMMITTED) as trap:
            bidding.let_go()
            told = doing.result(60)
            trap.wait()
            if end == "behind":
                trap.wait_for_the_answer()
            house.kill("api")
            trap.drop()
    house.wait_until_rolled_back(words.partition(":")[0])
    return told


@pytest.fixture
def other(house: Fragile) -> Place:
    """Another API."""
    return another_api(house)


def test_two_bids_at_two_apis_are_decided_one_after_the_other(house: Fragile, other: Place) -> None:
    contest = a_contest(house)
    with house.postgres.trap(BID, Then.HOLD) as intending:
        first = later(contest.bid)
        intending.wait()
        refused = contest.bid_of(contest.first, 1, 300, place=other)
        assert refused.status_code == 503, "what is looked at to be bid on is locked"
        intending.let_go()
        first.result(60)
    assert contest.insist(other).status_code == 201
    contest.wait_until_over()
    assert contest.stands() == contest.outbid
    house.stop(other.name)
    all_is_well(house)
