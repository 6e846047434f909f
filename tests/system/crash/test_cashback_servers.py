"""The servers under cashback die in the midst of it: each request is minted once all the same, and no process ends."""

from typing import Final

import pytest

from tests.chain.faults import Fault
from tests.system.crash.booked import HOMES
from tests.system.crash.generous import Generous
from tests.system.crash.steps import STEPS, Hold, before_the_ack, sending

IN_THE_MIDST: Final = {
    "rewards": STEPS["rewards, before they commit"],
    "mint": STEPS["mint, answered, before it commits that"],
    "chain": STEPS["adapter, before it commits what it signs"],
}
"""By the database that something is about to be committed to."""


def pids(house: Generous) -> dict[str, int]:
    """Of all processes that run."""
    return {name: process.pid for name, process in house.processes.items() if process.poll() is None}


@pytest.mark.parametrize("home", [HOMES[0], *(pytest.param(name, marks=pytest.mark.long) for name in HOMES[1:])])
def test_a_database_that_ends_its_sessions_and_takes_no_others_delays_and_no_more(
    generous: Generous, home: str
) -> None:
    dora, before = generous.newcomer(), pids(generous)
    with IN_THE_MIDST[home].hold(generous) as reached:
        gift = generous.give(dora, 3)
        reached()
        with generous.closed(home):
            pass
    generous.all_is_well(gift)
    assert pids(generous) == before


@pytest.mark.parametrize("home", [pytest.param(HOMES[0], marks=pytest.mark.long), HOMES[1],
                                  pytest.param(HOMES[2], marks=pytest.mark.long)])  # fmt: skip
def test_postgresql_killed_before_a_commit_of_any_of_them_loses_and_doubles_nothing(
    generous: Generous, home: str
) -> None:
    dora, before = generous.newcomer(), pids(generous)
    with IN_THE_MIDST[home].hold(generous) as reached:
        gift = generous.give(dora, 3)
        reached()
        generous.kill_postgresql()
    generous.all_is_well(gift)
    assert pids(generous) == before


@pytest.mark.long
@pytest.mark.parametrize("hold", [before_the_ack("rewards"), before_the_ack("mint")], ids=["rewards", "mint"])
def test_rabbitmq_killed_before_an_ack_brings_the_messages_again_with_one_effect(
    generous: Generous, hold: Hold
) -> None:
    dora, before = generous.newcomer(), pids(generous)
    with hold(generous) as reached:
        gift = generous.give(dora, 3)
        reached()
        generous.kill_rabbitmq()
    generous.all_is_well(gift)
    assert pids(generous) == before


def test_an_adapter_whose_tables_are_lost_in_the_midst_goes_on_once_they_are_rebuilt(generous: Generous) -> None:
    dora, emil = generous.newcomer(), generous.newcomer()
    done = generous.give(dora)
    generous.all_is_well(done)
    with sending(Fault.UNANSWERED)(generous) as reached:
        under_way = generous.give(emil)
        reached()
        generous.kill("chain")
    generous.lose_the_adapters_tables()
    assert "restored" in generous.command("chain", "rebuild")
    generous.begin("chain")
    generous.all_is_well(done, under_way)


def test_what_the_contract_refuses_has_failed_honestly_and_is_asked_for_again(generous: Generous) -> None:
    dora = generous.newcomer()
    with sending(Fault.HELD)(generous) as reached:
        gift = generous.give(dora)
        reached()  # it is signed: from here on it is sent, whoever may mint by then
        generous.have_minted(generous.owner.address)
    generous.wait_for_requests(dora, "FAILED")
    generous.have_minted(generous.key)
    generous.all_is_well(gift)
    *failed, last = generous.requests(dora)
    assert (set(failed), last) == ({"FAILED"}, "MINTED")
    reasons = generous.look("mint", "SELECT DISTINCT reason FROM mint.mint_requests WHERE user_id = %s", dora.id)
    assert set(reasons) == {("REVERTED",), (None,)}
