"""Buckets that several processes share, in a real Redis and a real Valkey."""

import asyncio
import sys
import time
import uuid
from collections.abc import AsyncIterator
from math import ceil
from urllib.parse import urlsplit

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from app.platform.limits.limiter import LimitMetrics, TokenBuckets
from app.platform.limits.ports import Limits, Refused
from app.platform.limits.redis_buckets import RedisBuckets
from app.platform.limits.script import Ask
from app.platform.limits.shared import SharedBuckets
from app.platform.process.quotas import Quota, quota
from app.platform.process.redis_urls import redis_place
from tests.platform.redis_fixtures import redis_url
from tests.platform.taking import shared_buckets

__all__ = ["redis_url"]

PROCESSES = 4
MAIL = "somebody@example.org"


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of the server, to look at what is kept."""
    async with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
async def buckets(redis_url: str) -> AsyncIterator[RedisBuckets]:
    """Buckets on a connection of one's own."""
    buckets = RedisBuckets(redis_place(redis_url))
    yield buckets
    await buckets.close()


@pytest.fixture
async def shared(redis_url: str) -> AsyncIterator[SharedBuckets]:
    """A process's way to them."""
    told: list[bool] = []
    shared = shared_buckets(redis_url, told)
    await shared.open()
    yield shared
    await shared.close()
    assert told == [True]


def limits(shared: SharedBuckets, text: str, secret: str = "") -> Limits:
    """Limits, all of the same quota."""
    quotas = dict.fromkeys(("ip", "user", "wallet", "login"), quota(text))
    return TokenBuckets(quotas, LimitMetrics(CollectorRegistry(), is_shared=True), shared, secret)  # type: ignore[arg-type]


def key() -> str:
    """One that nobody has used."""
    return uuid.uuid4().hex


async def now_us(redis: Redis) -> int:
    """Redis' time."""
    seconds, rest = await redis.time()
    return int(seconds) * 1_000_000 + int(rest)


async def test_several_processes_together_let_through_no_more_than_the_burst_and_what_time_brings(
    redis_url: str, redis: Redis
) -> None:
    quotas = ["50:20", "3:7", "333.3:1", "2000:300", "0.2:10", "0.7:1"]
    pipe = asyncio.subprocess.PIPE
    words = (sys.executable, "-m", "tests.platform.taking", redis_url, key(), "4", *quotas)
    processes = [
        await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, stderr=pipe) for _ in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout
        await process.stdout.readuntil(b"limits_shared")
    began_us = await now_us(redis)
    said = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    took_s = (await now_us(redis) - began_us) / 1e6
    passed = [sum(figures) for figures in zip(*(map(int, err.split()) for _, err in said), strict=True)]
    for text, got in zip(quotas, passed, strict=True):
        of = quota(text)
        assert of
        assert of.burst <= got <= of.burst + of.rate * took_s, text


async def test_the_next_passes_when_the_refusal_says_and_not_before(buckets: RedisBuckets) -> None:
    ask = Ask(key(), Quota(0.5, 1))
    assert await buckets.ask([ask]) == [0]
    (wait_us,) = await buckets.ask([ask])
    assert 0 < wait_us <= 2_000_000
    await asyncio.sleep(wait_us / 1e6)
    assert await buckets.ask([ask]) == [0]


async def test_one_exchange_serves_many_buckets_and_one_bucket_several_times(buckets: RedisBuckets) -> None:
    first, second = Ask(key(), Quota(0.001, 2)), Ask(key(), Quota(0.001, 1))
    waits = await buckets.ask([first, second, first, second, first])
    assert [wait == 0 for wait in waits] == [True, True, True, False, False]


async def test_what_is_given_back_never_lifts_a_bucket_above_its_burst(shared: SharedBuckets) -> None:
    of, mine = limits(shared, "0.001:3"), key()
    await of.give_back("login", mine)
    assert await of.take("login", mine) is None
    for _ in range(5):
        await of.give_back("login", mine)
    assert [await of.take("login", mine) is None for _ in range(5)] == [True] * 3 + [False] * 2
    await of.give_back("login", mine)
    assert [await of.take("login", mine) is None for _ in range(2)] == [True, False]


async def test_a_refusal_says_the_same_as_that_of_one_process(shared: SharedBuckets) -> None:
    of, mine, began = limits(shared, "0.3:2"), key(), time.monotonic()
    assert [await of.take("login", mine) for _ in range(2)] == [None, None]
    refused = await of.take("login", mine)
    wait_s = 10 / 3 - (time.monotonic() - began)  # at the least, as time brings some of a token
    assert refused in [Refused("login", 2, 7, seconds, seconds) for seconds in range(max(1, ceil(wait_s)), 5)]


async def test_no_address_and_no_mail_is_in_redis_and_what_is_there_goes_by_itself(
    shared: SharedBuckets, redis: Redis
) -> None:
    before = {*await redis.keys("*")}
    assert await limits(shared, "0.1:5", secret=key()).take("login", f"email:{MAIL}") is None
    (made,) = {*await redis.keys("*")} - before
    assert str(made).startswith("b'strongbox:limit:login:")
    assert "somebody" not in f"{made!r} {await redis.get(made)!r}"
    assert 0 < await redis.pttl(made) <= 11_000  # a token's ten seconds, and one more


async def test_with_another_secret_a_key_is_another(shared: SharedBuckets) -> None:
    mine, secrets = key(), (key(), key())
    first, second = (limits(shared, "0.001:1", secret) for secret in secrets)
    assert [await first.take("ip", mine), await second.take("ip", mine)] == [None, None]
    assert None not in [await first.take("ip", mine), await limits(shared, "0.001:1", secrets[1]).take("ip", mine)]


async def test_a_smaller_burst_holds_for_what_was_kept_before(buckets: RedisBuckets) -> None:
    mine = key()
    assert await buckets.ask([Ask(mine, Quota(0.001, 100))]) == [0]
    waits = await buckets.ask([Ask(mine, Quota(0.001, 2))] * 4)
    assert [wait == 0 for wait in waits] == [True, True, False, False]


async def test_a_clock_that_was_set_back_starves_nobody(buckets: RedisBuckets, redis: Redis) -> None:
    mine = key()
    await redis.set(mine, f"0.5 {await now_us(redis) + 3_600_000_000}")
    (wait_us,) = await buckets.ask([Ask(mine, Quota(100.0, 5))])
    assert wait_us == pytest.approx(5_000, abs=1)
    await asyncio.sleep(0.02)
    assert await buckets.ask([Ask(mine, Quota(100.0, 5))]) == [0]


async def test_what_somebody_else_wrote_there_counts_for_nothing(buckets: RedisBuckets, redis: Redis) -> None:
    mine = key()
    await redis.set(mine, "what is this")
    assert await buckets.ask([Ask(mine, Quota(0.001, 1))]) == [0]
    assert (await buckets.ask([Ask(mine, Quota(0.001, 1))]))[0] > 0


async def test_a_redis_that_has_forgotten_the_script_is_told_it_again(buckets: RedisBuckets, redis: Redis) -> None:
    ask = Ask(key(), Quota(0.001, 1))
    assert await buckets.ask([ask]) == [0]
    await redis.script_flush()
    assert (await buckets.ask([ask]))[0] > 0


async def test_a_connection_that_the_other_side_has_closed_is_not_noticed(shared: SharedBuckets, redis: Redis) -> None:
    of, mine = limits(shared, "0.001:2"), key()
    assert await of.take("ip", mine) is None
    await redis.client_kill_filter(_type="normal", skipme=True)
    assert [await of.take("ip", mine) is None for _ in range(2)] == [True, False]


async def test_other_databases_have_other_buckets(redis_url: str) -> None:
    mine = Ask(key(), Quota(0.001, 1))
    for number in (0, 1):
        buckets = RedisBuckets(redis_place(urlsplit(redis_url)._replace(path=f"/{number}").geturl()))
        assert await buckets.ask([mine]) == [0]
        assert (await buckets.ask([mine]))[0] > 0
        await buckets.close()
