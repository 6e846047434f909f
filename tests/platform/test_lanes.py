"""Lanes: batches in which every command gets a result of its own, whatever happens to the rest."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import psycopg
import pytest
from psycopg import errors

from app.kernel.errors import Unavailable
from app.platform.postgres.lanes import HeldElsewhere, Lane, Lanes


class Runner:
    """Doubles numbers in batches, holds a batch back while `held`, and fails as planned."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.failures: list[Exception | None] = []
        self.poison: dict[int, Exception] = {}
        self.free = asyncio.Event()
        self.free.set()
        self.begun = asyncio.Event()
        self.checks = 0

    async def __call__(self, commands: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(commands))
        self.begun.set()
        await self.free.wait()
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        for command in commands:
            if command in self.poison:
                raise self.poison[command]
        return [2 * command for command in commands]

    async def check(self) -> None:
        self.checks += 1

    def lane(self, size: int = 8, queue_limit: int = 100) -> Lane[int, int]:
        return Lane(self, size=size, queue_limit=queue_limit, on_lost=self.check)


async def submitted(lane: Lane[int, int], *commands: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(lane.submit(command)) for command in commands]
    await asyncio.sleep(0)
    return tasks


async def outcomes(tasks: Sequence[asyncio.Task[int]]) -> list[int | BaseException]:
    async with asyncio.timeout(60):
        return await asyncio.gather(*tasks, return_exceptions=True)


async def test_what_arrives_while_a_batch_is_under_way_makes_up_the_next() -> None:
    runner = Runner()
    lane = runner.lane(size=3)
    runner.free.clear()
    first = await submitted(lane, 1)
    await asyncio.sleep(0)
    rest = await submitted(lane, 2, 3, 4, 5)
    runner.free.set()
    assert await outcomes([*first, *rest]) == [2, 4, 6, 8, 10]
    assert runner.batches == [[1], [2, 3, 4], [5]]


async def test_a_bad_command_is_found_by_halving_and_takes_nobody_down() -> None:
    runner = Runner()
    runner.poison[3] = ValueError("bad")
    *good, bad = await outcomes([*(await submitted(runner.lane(), 1, 2, 4, 5, 3))])
    assert good == [2, 4, 8, 10]
    assert isinstance(bad, ValueError)


async def test_a_conflict_runs_again_once() -> None:
    runner = Runner()
    runner.failures = [errors.DeadlockDetected()]
    assert await outcomes(await submitted(runner.lane(), 1, 2)) == [2, 4]
    assert runner.batches == [[1, 2], [1, 2]]


async def test_a_conflict_that_does_not_end_is_unavailable() -> None:
    runner = Runner()
    runner.poison[1] = errors.SerializationFailure()
    (outcome,) = await outcomes(await submitted(runner.lane(), 1))
    assert type(outcome) is Unavailable
    assert len(runner.batches) == 2


async def test_a_lost_connection_is_retried_as_a_whole_once() -> None:
    runner = Runner()
    runner.failures = [psycopg.OperationalError("gone")]
    assert await outcomes(await submitted(runner.lane(), 1, 2)) == [2, 4]
    assert runner.batches == [[1, 2], [1, 2]]
    assert runner.checks == 1


async def test_a_connection_lost_twice_is_unavailable_for_all() -> None:
    runner = Runner()
    runner.failures = [psycopg.OperationalError("gone"), errors.AdminShutdown()]
    for outcome in await outcomes(await submitted(runner.lane(), 1, 2)):
        assert type(outcome) is Unavailable
    assert len(runner.batches) == 2


@pytest.mark.parametrize("then", [errors.DiskFull(), errors.LockNotAvailable()], ids=["full", "held"])
async def test_what_was_lost_once_may_have_happened_whatever_comes_then(then: Exception) -> None:
    runner, gone = Runner(), psycopg.OperationalError("gone")
    runner.failures = [gone, then]
    (outcome,) = await outcomes(await submitted(runner.lane(), 1))
    assert isinstance(outcome, Unavailable)
    assert outcome.__cause__ is gone


async def test_what_was_lost_once_may_have_happened_though_no_time_is_left_to_try_again() -> None:
    gone, loop = psycopg.OperationalError("gone"), asyncio.get_running_loop()
    until = loop.time() + 1

    async def fails(_: Sequence[int]) -> Sequence[int]:
        raise gone

    async def mends() -> None:
        await asyncio.sleep(until - loop.time() + 0.1)

    lane = Lane(fails, size=8, queue_limit=8, on_lost=mends)
    with pytest.raises(Unavailable) as late:
        await lane.submit(1, until)
    assert late.value.__cause__ is gone


async def test_a_lost_connection_is_tried_again_even_when_mending_it_fails() -> None:
    runner = Runner()
    runner.failures = [psycopg.OperationalError("gone")]

    async def cannot() -> None:
        raise OSError("no route to host")

    lane = Lane(runner, size=8, queue_limit=8, on_lost=cannot)
    assert await outcomes(await submitted(lane, 1)) == [2]


async def test_every_command_gets_a_result_even_when_results_are_missing() -> None:
    async def forgetful(commands: Sequence[int]) -> Sequence[int]:
        return []

    async def check() -> None: ...

    lane = Lane(forgetful, size=8, queue_limit=8, on_lost=check)
    outcome = (await outcomes(await submitted(lane, 1)))[0]
    assert isinstance(outcome, Exception)


async def test_a_database_that_is_away_is_unavailable_at_once() -> None:
    runner = Runner()
    runner.failures = [errors.DiskFull()]
    for outcome in await outcomes(await submitted(runner.lane(), 1, 2)):
        assert type(outcome) is Unavailable
    assert len(runner.batches) == 1


async def test_one_whose_caller_has_gone_before_it_began_is_dropped() -> None:
    runner = Runner()
    lane = runner.lane()
    runner.free.clear()
    first = await submitted(lane, 1)
    await asyncio.sleep(0)
    gone, stays = await submitted(lane, 2, 3)
    gone.cancel()
    runner.free.set()
    assert await outcomes([*first, stays]) == [2, 6]
    assert runner.batches == [[1], [3]]


async def test_one_that_began_is_never_cancelled() -> None:
    runner = Runner()
    lane = runner.lane()
    runner.free.clear()
    gone, stays = await submitted(lane, 1, 2)
    await runner.begun.wait()
    gone.cancel()
    await asyncio.sleep(0)
    runner.free.set()
    assert await outcomes([stays]) == [4]
    assert runner.batches == [[1, 2]]


async def test_a_full_queue_is_unavailable() -> None:
    runner = Runner()
    lane = runner.lane(queue_limit=1)
    runner.free.clear()
    first = await submitted(lane, 1)
    await runner.begun.wait()
    second = await submitted(lane, 2)
    with pytest.raises(Unavailable):
        await lane.submit(3)
    runner.free.set()
    assert await outcomes([*first, *second]) == [2, 4]


async def test_a_command_whose_time_came_before_its_turn_is_dropped() -> None:
    runner = Runner()
    with pytest.raises(Unavailable):
        await runner.lane().submit(1, asyncio.get_running_loop().time() - 1)
    assert runner.batches == []


async def test_draining_waits_for_everything_submitted() -> None:
    runner = Runner()
    lanes = Lanes[int, int](lambda command: UUID(int=command), runner.lane(), runner.lane())
    tasks = [asyncio.create_task(lanes.submit(command)) for command in range(5)]
    await asyncio.sleep(0)
    await lanes.drain()
    assert await outcomes(tasks) == [0, 2, 4, 6, 8]


async def test_a_user_whose_rows_are_held_goes_aside_and_leaves_the_others_alone() -> None:
    main, aside = Runner(), Runner()
    main.poison[1] = errors.LockNotAvailable()
    lanes = Lanes[int, int](lambda command: UUID(int=command), main.lane(), aside.lane())
    with pytest.raises(HeldElsewhere):
        await lanes.submit(1)
    assert await lanes.submit(1) == 2
    assert await lanes.submit(2) == 4
    assert aside.batches == [[1]]
    assert main.batches == [[1], [2]]
