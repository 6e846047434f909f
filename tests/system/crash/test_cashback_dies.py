"""Whoever takes part in cashback dies at each of his steps, before and behind what he commits: each request is minted
once all the same, and everything adds up.
"""

import pytest

from tests.chain.faults import Fault
from tests.system.crash.booked import Gift, Person
from tests.system.crash.generous import Generous
from tests.system.crash.proxy import Then
from tests.system.crash.steps import ASKED, SHORT, STEPS, Step, sending
from tests.system.crash.test_outbox import CONFIRM
from tests.system.e2e.house import wait_until


def stands(house: Generous, who: Person, step: Step) -> None:
    """See that all is committed that should be by that step, and nothing else.

    What was held may be the ack of a message before, that of the newcomer perhaps: then the rest is yet to come.
    """
    if step.lines is not None:
        wait_until(lambda: house.lines(who) == step.lines, f"the ledger to say {step.lines}")
    if step.requests is not None:
        assert house.requests(who) == step.requests
    if step.signed is not None:
        signed = house.signed(who)
        assert len(signed) == len(step.signed), signed
        assert all(status in may_be for status, may_be in zip(signed, step.signed, strict=True)), signed


@pytest.mark.parametrize(
    "name", [pytest.param(name, id=name, marks=() if name in SHORT else pytest.mark.long) for name in STEPS]
)
def test_whoever_dies_at_a_step_is_followed_by_one_who_finishes_it(generous: Generous, name: str) -> None:
    step, dora = STEPS[name], generous.newcomer()
    with step.hold(generous) as reached:
        gift = generous.give(dora)
        reached()
        stands(generous, dora, step)
        generous.kill(step.who)
    generous.begin(step.who)
    generous.all_is_well(gift)
    assert generous.lines(dora) == [*ASKED, "MINTED"]
    assert generous.requests(dora) == ["MINTED"]


def minted_while_no_relay_runs(house: Generous, who: Person) -> Gift:
    """Have somebody's request be minted, and not told of."""
    with sending(Fault.HELD)(house) as reached:
        gift = house.give(who)
        reached()
        house.kill("relay")
    wait_until(lambda: house.requests(who) == ["MINTED"], "the request to be minted")
    assert house.lines(who) == ASKED
    return gift


def test_what_is_minted_by_one_who_dies_before_it_is_published_is_told(generous: Generous) -> None:
    dora = generous.newcomer()
    gift = minted_while_no_relay_runs(generous, dora)
    generous.kill("mint")
    generous.begin("relay")
    wait_until(lambda: generous.lines(dora) == [*ASKED, "MINTED"], "rewards to hear of it")
    generous.begin("mint")
    generous.all_is_well(gift)


@pytest.mark.long
def test_what_a_dying_relay_publishes_twice_is_minted_once_by_the_ledger(generous: Generous) -> None:
    dora = generous.newcomer()
    gift = minted_while_no_relay_runs(generous, dora)
    with generous.brokers["relay"].trap("publish", Then.LOSE_THE_ANSWER, CONFIRM) as publishing:
        generous.begin("relay")
        publishing.wait()
        publishing.wait_for_the_answer()
        generous.kill("relay")
    wait_until(lambda: generous.lines(dora) == [*ASKED, "MINTED"], "rewards to hear of it")
    generous.begin("relay")
    generous.all_is_well(gift)
    assert generous.lines(dora) == [*ASKED, "MINTED"]
