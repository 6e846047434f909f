"""Whatever dies, in any order: in so many seconds from the last heal on every request is MINTED or honestly FAILED."""

import time
from typing import Final

import pytest
from _pytest.mark.structures import ParameterSet

from tests.pace import slow
from tests.system.crash.generous import BLOCK_S, CONFIRMATIONS, Generous
from tests.system.crash.turns import TURNS, plan
from tests.system.e2e.house import wait_until

WITHIN_S: Final = 30 + CONFIRMATIONS * BLOCK_S
PAYMENTS: Final = 3
"""Before each turn."""


def long(seed: int) -> ParameterSet:
    return pytest.param(seed, 2 * len(TURNS), marks=pytest.mark.long, id=f"seed {seed}, everything twice")


@pytest.mark.parametrize(("seed", "length"), [pytest.param(259, 6, id="seed 259, six turns"), *map(long, (1, 2, 3))])
def test_whatever_dies_in_any_order_every_request_comes_to_its_end_in_time(
    generous: Generous, seed: int, length: int
) -> None:
    gifts, people = [], [generous.newcomer() for _ in range(length)]
    for who, (name, lasts_s) in zip(people, plan(seed, length), strict=True):
        gifts.append(generous.give(who, PAYMENTS))
        TURNS[name](generous, lasts_s)
    healed, limit_s = time.monotonic(), slow(WITHIN_S)

    def all_have_ended() -> bool:
        return all(generous.is_minted(gift) for gift in gifts) and generous.is_quiet()

    wait_until(all_have_ended, f"the end of all that was asked for before {plan(seed, length)} were over")
    assert time.monotonic() - healed < max(limit_s, slow(WITHIN_S)), "by how busy the machine was, or is"
    generous.all_is_well(*gifts)
