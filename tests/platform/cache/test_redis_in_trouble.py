"""A cache whose Redis is killed, frozen, emptied, full, replaced, or heard no more: nothing old, nobody is stopped."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis

from app.main.local.redis import RedisServer
from app.platform.cache.asking import LIMIT_S
from tests.pace import slow
from tests.platform.cache.sharing import OTHERS_S, Process, Truth, comes, processes
from tests.platform.cache.swallowing import Swallowing
from tests.platform.redis_fixtures import mortal_redis

__all__ = ["mortal_redis"]


@pytest.fixture
async def redis(mortal_redis: RedisServer) -> AsyncIterator[Redis]:
    """An operator's client."""
    async with Redis.from_url(mortal_redis.url) as client:
        yield client


@pytest.fixture
async def pair(mortal_redis: RedisServer) -> AsyncIterator[list[Process]]:
    """Two processes that wait for Redis as long as they do, both of which keep a product."""
    async with processes(mortal_redis.url, mortal_redis.url, limit_s=LIMIT_S) as pair:
        yield pair


async def both_keep(pair: list[Process]) -> Truth:
    truth = Truth()
    for process in pair:
        await process.keeps(truth)
    return truth


def halt(server: RedisServer) -> None:
    assert server.process
    server.process.send(signal.SIGSTOP)


def go_on(server: RedisServer) -> None:
    assert server.process
    server.process.send(signal.SIGCONT)


async def sees(process: Process, truth: Truth) -> None:
    """Wait until the process reads what is true, and see that it goes on to."""

    async def is_true() -> bool:
        return await process.read(truth) == truth.version

    await comes(is_true)
    for _ in range(20):
        assert await is_true()
        await asyncio.sleep(0.02)


async def test_a_redis_that_is_killed_stops_nobody_and_its_successor_is_used(
    mortal_redis: RedisServer, pair: list[Process]
) -> None:
    truth = await both_keep(pair)
    writer, reader = pair
    mortal_redis.kill()
    for version in (2, 3):
        await writer.write(truth, version)
        assert await writer.read(truth) == version
        await asyncio.sleep(OTHERS_S)
        assert await reader.read(truth) == version
    await asyncio.to_thread(mortal_redis.start)
    await sees(reader, truth)
    for process in pair:
        await process.keeps(truth)
    await writer.confirms(truth, 4)
    assert await writer.read(truth) == 4
    await asyncio.sleep(OTHERS_S)
    assert await reader.read(truth) == 4


async def test_a_redis_that_is_frozen_is_not_waited_for_and_forgets_when_it_goes_on(
    mortal_redis: RedisServer, pair: list[Process], redis: Redis
) -> None:
    truth = await both_keep(pair)
    writer, reader = pair
    halt(mortal_redis)
    try:
        assert not await writer.write(truth, 2)
        began_at = time.monotonic()
        for _ in range(50):
            assert await writer.read(truth) == 2
        assert time.monotonic() - began_at < slow(50 * LIMIT_S + 5)  # a breaker, not fifty waits
        await asyncio.sleep(OTHERS_S)
        assert await reader.read(truth) == 2
    finally:
        go_on(mortal_redis)
    assert await writer.read(truth) == 2

    async def is_confirmed() -> bool:  # until then Redis may still have what was before
        return writer.cache.unconfirmed == 0

    await comes(is_confirmed)
    await asyncio.sleep(OTHERS_S)
    await sees(reader, truth)
    for process in pair:
        await process.keeps(truth)


async def test_what_a_dead_writer_left_in_a_redis_is_forgotten_by_whoever_recovers(
    mortal_redis: RedisServer, pair: list[Process]
) -> None:
    truth = await both_keep(pair)
    truth.version = 2  # committed, and its writer died
    recovery, reader = pair

    async def is_confirmed() -> bool:
        return await recovery.cache.delete(truth.tenant, [truth.key])

    halt(mortal_redis)
    assert not await is_confirmed()
    go_on(mortal_redis)
    await comes(is_confirmed)
    await asyncio.sleep(OTHERS_S)
    assert await reader.read(truth) == 2


async def test_a_redis_that_is_emptied_costs_a_load(pair: list[Process], redis: Redis) -> None:
    truth = await both_keep(pair)
    await redis.flushall()
    await redis.script_flush()
    await pair[0].confirms(truth, 2)
    assert await pair[0].read(truth) == 2
    await asyncio.sleep(OTHERS_S)
    assert await pair[1].read(truth) == 2


async def test_a_redis_that_is_full_takes_nothing_and_forgets_all_the_same(pair: list[Process], redis: Redis) -> None:
    truth = await both_keep(pair)
    other = Truth()
    await redis.config_set("maxmemory-policy", "noeviction")
    await redis.config_set("maxmemory", "1")
    assert [await pair[0].read(other), await pair[1].read(other)] == [1, 1]
    await pair[0].confirms(truth, 2)
    await asyncio.sleep(OTHERS_S)
    assert [await process.read(truth) for process in pair] == [2, 2]
    assert not await redis.keys(f"*{other.key}")


async def test_one_that_comes_back_with_what_it_had_saved_is_not_believed(
    mortal_redis: RedisServer, pair: list[Process], redis: Redis
) -> None:
    truth = await both_keep(pair)
    await pair[0].shares(truth)
    await redis.save()
    await pair[0].confirms(truth, 2)
    await asyncio.to_thread(mortal_redis.stop)
    await asyncio.to_thread(mortal_redis.start)
    async with Redis.from_url(mortal_redis.url) as anew:
        assert await anew.keys(f"*{truth.key}"), "it has the old one"
    for process in pair:
        await process.keeps(truth)
        assert await process.read(truth) == 2


async def test_where_the_subscription_is_silently_dead_the_process_serves_nothing_of_its_own(
    mortal_redis: RedisServer,
) -> None:
    way = Swallowing(mortal_redis.port)
    by_way = urlsplit(mortal_redis.url)
    async with way.opened():
        url = by_way._replace(netloc=by_way.netloc.replace(str(mortal_redis.port), str(way.port))).geturl()
        async with processes(mortal_redis.url, url) as pair:
            truth = await both_keep(pair)
            writer, reader = pair
            way.is_deaf = True
            assert await writer.write(truth, 2)
            assert await writer.read(truth) == 2
            await asyncio.sleep(OTHERS_S)
            assert await reader.read(truth) == 2
            assert not reader.subscription.is_fresh

            async def is_said() -> bool:
                return (writer.hears, reader.subscription.hearing) == (True, "silent")

            await comes(is_said)
            way.is_deaf = False
            await reader.keeps(truth)
            assert await reader.read(truth) == 2

            async def hears_again() -> bool:
                return reader.hears

            await comes(hears_again)
