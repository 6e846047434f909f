"""Whoever releases the holds whose time is over dies at each point of it: each is released, once."""

import pytest

from tests.system.crash.deeds import COMMITTED, WRITES, Place, ending_hold, places, wallet_of
from tests.system.crash.fragile import Fragile
from tests.system.crash.proxy import Then
from tests.system.e2e.crowd import Person
from tests.system.e2e.house import wait_until

SOON_S = 3.0


@pytest.fixture
def at(house: Fragile) -> dict[str, Place]:
    """Whom to ask. Recovery comes later, by way of the proxy."""
    house.stop("recover")
    return places(house)


def _released(house: Fragile, owner: Person, hold: dict[str, str]) -> None:
    """It is given back, once and for good."""
    wait_until(lambda: wallet_of(house, owner) == (1_000, 0), "the end of the hold", 20)
    assert house.query("SELECT status, released, version FROM holds WHERE id = %s", hold["hold"]) == [
        ("RELEASED", 400, 2)
    ]
    kinds = house.query("SELECT kind FROM transactions WHERE hold_id = %s ORDER BY created_at", hold["hold"])
    assert kinds == [("HOLD",), ("RELEASE",)]
    house.verify()
    assert house.trail(hold["hold"]) == ["hold.placed", "hold.released"]


def _begin(house: Fragile, name: str = "recover") -> None:
    house.begin(name, DATABASE_URL=house.own["api"]["DATABASE_URL"])


@pytest.mark.parametrize(
    ("words", "then"),
    [
        ("strongbox-move: BEGIN", Then.HOLD),
        pytest.param(WRITES, Then.HOLD, marks=pytest.mark.long),
        (WRITES, Then.SWALLOW_ANSWERS),
    ],
    ids=["before it began", "with everything locked", "behind its commit"],
)
def test_a_hold_whose_release_dies_is_released_by_the_next_one(
    house: Fragile, at: dict[str, Place], words: str, then: Then
) -> None:
    owner, hold = ending_hold(house, at["teller"], SOON_S)
    with house.postgres.trap(words, then, COMMITTED) as trap:
        _begin(house)
        trap.wait() if then is Then.HOLD else trap.wait_for_the_answer()
        house.kill("recover")
        trap.drop()
    house.wait_until_rolled_back("strongbox-move")
    assert wallet_of(house, owner) == ((600, 400) if then is Then.HOLD else (1_000, 0))
    house.begin("recover")
    _released(house, owner, hold)


@pytest.mark.long
def test_a_hold_whose_release_dies_inside_is_released_by_the_next_one(house: Fragile, at: dict[str, Place]) -> None:
    owner, hold = ending_hold(house, at["teller"], SOON_S)
    with house.locked("funds.outbox_events"):
        _begin(house)
        house.wait_for_session("strongbox-move", "Lock")
        house.kill("recover")
        house.wait_until_rolled_back("strongbox-move")
    assert wallet_of(house, owner) == (600, 400)
    house.begin("recover")
    _released(house, owner, hold)


@pytest.mark.parametrize(
    "then", [Then.CUT, pytest.param(Then.LOSE_THE_ANSWER, marks=pytest.mark.long)], ids=["not sent", "not answered"]
)
def test_a_release_whose_commit_is_lost_is_made_once(house: Fragile, at: dict[str, Place], then: Then) -> None:
    owner, hold = ending_hold(house, at["teller"], SOON_S)
    with house.postgres.trap(WRITES, then, COMMITTED) as trap:
        _begin(house)
        trap.wait()
        _released(house, owner, hold)


@pytest.mark.long
def test_a_release_that_sleeps_is_made_by_another_and_found_done(house: Fragile, at: dict[str, Place]) -> None:
    owner, hold = ending_hold(house, at["teller"], SOON_S)
    with house.postgres.trap(WRITES, Then.HOLD) as writing:
        _begin(house)
        writing.wait()
        with house.paused("recover"):
            house.begin("recover2")
            _released(house, owner, hold)
            writing.let_go()
    assert house.stop("recover2") == 0
    _released(house, owner, hold)
