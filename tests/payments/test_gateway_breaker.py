"""The breaker, with a clock that the test turns."""

import asyncio

import pytest
from structlog.testing import capture_logs

from app.platform.outgoing.breaker import BreakerOpenError
from tests.payments.breaking import DownError, Setting, at, attempt, bad, good

__all__ = ["at"]


async def test_it_opens_after_failures_in_a_row_and_then_attempts_nothing(at: Setting) -> None:
    await at.fail(3)
    assert at.state() == "open"
    made = []

    async def noted() -> str:
        made.append(1)
        return "made"

    with pytest.raises(BreakerOpenError):
        await attempt(at.breaker, noted)
    assert not made


async def test_a_success_in_between_begins_the_count_again(at: Setting) -> None:
    await at.fail(2)
    assert await attempt(at.breaker, good) == "good"
    await at.fail(2)
    assert at.state() == "closed"


async def test_the_failure_that_opens_it_arrives_as_itself(at: Setting) -> None:
    await at.fail(2)
    with pytest.raises(DownError) as caught:
        await attempt(at.breaker, bad)
    assert caught.type is DownError


async def test_after_its_time_a_success_closes_it_and_a_failure_opens_it_for_as_long_again(at: Setting) -> None:
    await at.half_open()
    await at.fail(1)
    assert at.state() == "open"
    assert at.breaker.remaining_s == 4.0
    at.now_s += 3.9
    assert at.state() == "open"
    at.now_s += 0.1
    assert await attempt(at.breaker, good) == "good"
    assert at.state() == "closed"


async def test_half_open_one_attempt_is_made_and_the_others_wait_for_what_it_shows(at: Setting) -> None:
    await at.half_open()
    under_way, most, begun, verdict = [0], [0], asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        begun.set()
        await verdict.wait()
        under_way[0] -= 1
        raise DownError

    tasks = [asyncio.create_task(attempt(at.breaker, slow)) for _ in range(10)]
    await begun.wait()
    verdict.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(r) for r in results].count(DownError) == 1
    assert [type(r) for r in results].count(BreakerOpenError) == 9
    assert most == [1]


async def test_those_who_waited_for_a_good_trial_go_on(at: Setting) -> None:
    await at.half_open()
    assert await asyncio.gather(*(attempt(at.breaker, good) for _ in range(10))) == ["good"] * 10
    assert at.state() == "closed"


async def test_waiting_for_the_trial_ends_with_the_time_given(at: Setting) -> None:
    await at.half_open()
    forever = asyncio.create_task(attempt(at.breaker, lambda: asyncio.sleep(60, "never")))
    await asyncio.sleep(0)
    with pytest.raises(BreakerOpenError):
        await attempt(at.breaker, good, within_s=0.01)
    forever.cancel()
    with pytest.raises(asyncio.CancelledError):
        await forever


async def test_a_cancelled_trial_shows_nothing_and_the_next_in_line_is_the_trial(at: Setting) -> None:
    await at.half_open()
    first = asyncio.create_task(attempt(at.breaker, lambda: asyncio.sleep(60, "never")))
    await asyncio.sleep(0)
    second = asyncio.create_task(attempt(at.breaker, good))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "good"
    assert at.state() == "closed"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_cancelled_attempts_count_neither_way(at: Setting) -> None:
    await at.fail(2)
    tasks = [asyncio.create_task(attempt(at.breaker, lambda: asyncio.sleep(60, "never"))) for _ in range(50)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert at.state() == "closed"
    await at.fail(1)
    assert at.state() == "open"


async def test_failures_that_end_late_do_not_hold_it_open_for_longer(at: Setting) -> None:
    ending = asyncio.Event()

    async def late() -> str:
        await ending.wait()
        raise DownError

    tasks = [asyncio.create_task(attempt(at.breaker, late)) for _ in range(5)]
    await asyncio.sleep(0)
    await at.fail(3)
    at.now_s += 3.0
    ending.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert at.breaker.remaining_s == 1.0


async def test_each_change_of_state_is_logged_once(at: Setting) -> None:
    with capture_logs() as logs:
        await at.half_open()
        await attempt(at.breaker, good)
    assert [(entry["was"], entry["state"], entry["log_level"]) for entry in logs] == [
        ("closed", "open", "warning"),
        ("open", "half_open", "warning"),
        ("half_open", "closed", "warning"),
    ]
