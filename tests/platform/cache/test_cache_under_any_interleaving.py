"""Nothing old is read or left behind, in whatever order the steps of loads, writes, deletions and messages happen."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.platform.cache.modelled import House
from tests.platform.cache.orders import every_order, in_this_order

Act = Callable[[House], Awaitable[None]]

ACTS: dict[str, Act] = {
    "A reads": lambda house: house.a.read(),
    "B reads": lambda house: house.b.read(),
    "A writes": lambda house: house.a.write(),
    "B writes": lambda house: house.b.write(),
    "A repeats": lambda house: house.a.repeat(),
    "A sweeps": lambda house: house.a.sweep(),
    "Redis forgets": lambda house: house.forget_all(),
}


async def play(house: House, acts: Sequence[str]) -> None:
    """All of it at once; then everything is at rest."""
    await house.turns.play(*(ACTS[act](house) for act in acts))
    house.a.remote.fails.clear()
    await house.turns.play(house.a.cache.repeat_unconfirmed())
    await house.ends_well()


@pytest.mark.parametrize("kept", ["cold", "kept in Redis", "kept everywhere"])
@pytest.mark.parametrize("reader", ["A reads", "B reads"])
def test_in_every_order_a_reader_sees_what_was_written_before_it_began(reader: str, kept: str) -> None:
    orders = 0
    with asyncio.Runner() as runner:
        for choose in every_order():
            house = House(choose)
            if kept != "cold":
                house.keep(in_processes=kept == "kept everywhere")
            runner.run(play(house, [reader, "A writes"]))
            orders += 1
    assert orders > 90


READS_V1 = ("A begins to read", "A looks", "A has looked", "A loads")
"""What was before is in hand, and is not brought yet."""


@pytest.mark.parametrize("writer", ["A", "B"])
def test_who_begins_behind_a_deletion_does_not_join_a_load_of_before_it(writer: str) -> None:
    written = (f"{writer} commits", f"{writer} deletes", "A hears", f"{writer} has deleted")
    house = House(in_this_order(*READS_V1, *written, "A begins to read"))
    asyncio.run(play(house, ["A reads", f"{writer} writes", "A reads"]))


def test_who_begins_while_a_deletion_is_under_way_is_not_served_what_the_writer_kept_before_it() -> None:
    house = House(in_this_order("A commits", "A begins to read"))
    house.keep(in_processes=True)
    asyncio.run(play(house, ["A writes", "A reads"]))


def test_who_begins_while_a_deletion_is_under_way_does_not_join_a_load_of_before_it() -> None:
    house = House(in_this_order(*READS_V1, "A commits", "A begins to read"))
    asyncio.run(play(house, ["A reads", "A writes", "A reads"]))


def test_that_an_older_deletion_is_confirmed_says_nothing_of_a_newer_one() -> None:
    """Between the two somebody else has put there what was true by then."""
    first = ("A commits", "A deletes")
    others = ("B begins to read", "B looks", "B has looked", "B loads", "B has loaded", "B puts")
    house = House(in_this_order(*first, *others, *first, "A has deleted", "A begins to read"))
    house.a.remote.fails = ["", "unsent"]
    asyncio.run(play(house, ["A writes", "A writes", "B reads", "A reads"]))


@given(
    acts=st.lists(st.sampled_from([*ACTS]), min_size=2, max_size=5),
    is_kept=st.booleans(),
    fates=st.lists(st.sampled_from(["", "unsent", "unanswered"]), max_size=2),
    random=st.randoms(use_true_random=False),
)
@settings(max_examples=1_500)
def test_so_do_many_who_read_write_sweep_and_empty_it_at_once(
    acts: list[str], is_kept: bool, fates: list[str], random: Random
) -> None:
    house = House(lambda steps: random.randrange(len(steps)))
    house.a.remote.fails = fates
    if is_kept:
        house.keep(in_processes=False)
    asyncio.run(play(house, acts))
