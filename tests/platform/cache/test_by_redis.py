"""What processes keep together in a real Redis and a real Valkey."""

import asyncio
import random
from collections.abc import AsyncIterator
from functools import partial
from uuid import uuid4

import msgspec
import pytest
from redis.asyncio import Redis

from app.kernel.errors import Unavailable
from app.platform.cache.in_process import Place
from app.platform.cache.ports import Kind
from tests.platform.cache.modelled import ModelRedis
from tests.platform.cache.orders import Turns
from tests.platform.cache.sharing import PATIENCE_S, Process, Truth, comes, processes
from tests.platform.redis_fixtures import redis_url

__all__ = ["redis_url"]

SUMMARY: Kind[int] = Kind("wallet", int, (5.0, 15.0), in_process=False)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of the server, to look at what is kept."""
    async with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
async def pair(redis_url: str) -> AsyncIterator[list[Process]]:
    async with processes(redis_url, redis_url) as pair:
        yield pair


async def kept(redis: Redis, truth: Truth) -> list[bytes]:
    """The keys of what is kept of it, once there is something."""
    found: list[bytes] = []

    async def is_there() -> bool:
        found[:] = map(bytes, await redis.keys(f"strongbox:cache:*:v:{truth.tenant.hex}:{truth.key}"))  # type: ignore[arg-type]
        return bool(found)

    await comes(is_there)
    return found


async def test_what_one_process_has_loaded_others_find(pair: list[Process], redis: Redis) -> None:
    truth = Truth()
    assert await pair[0].read(truth) == 1
    await kept(redis, truth)
    assert await pair[1].read(truth) == 1
    assert truth.loads == 1


async def test_five_hundred_misses_at_once_are_one_load(pair: list[Process]) -> None:
    truth, warm = Truth(), Truth()
    await pair[0].keeps(warm)
    assert {*await asyncio.gather(*(pair[0].read(truth) for _ in range(500)))} == {1}
    assert truth.loads == 1


async def test_the_time_to_live_is_the_middle_and_a_tenth_more_or_less(pair: list[Process], redis: Redis) -> None:
    lives = []
    for _ in range(20):
        truth = Truth()
        await pair[0].read(truth)
        (key,) = await kept(redis, truth)
        lives.append(await redis.pttl(key) / 1_000)
    assert all(162 - PATIENCE_S < live <= 198 for live in lives)
    assert max(lives) - min(lives) > 5


async def test_what_is_not_there_is_remembered_for_a_while(pair: list[Process], redis: Redis) -> None:
    truth = Truth()
    truth.version = None
    assert [await pair[0].read(truth), await pair[0].read(truth)] == [None, None]
    assert truth.loads == 1
    (key,) = await kept(redis, truth)
    assert await redis.pttl(key) <= 5_500


async def test_a_value_that_nobody_can_read_is_a_miss_and_is_replaced(pair: list[Process], redis: Redis) -> None:
    truth = Truth()
    await pair[0].read(truth)
    (key,) = await kept(redis, truth)
    await redis.set(key, msgspec.msgpack.encode({"of": "another release"}), px=60_000)
    assert await pair[1].read(truth) == 1

    async def is_replaced() -> bool:
        return await redis.get(key) == msgspec.msgpack.encode(1)

    await comes(is_replaced)


async def test_what_somebody_else_has_put_in_its_place_is_a_miss(pair: list[Process], redis: Redis) -> None:
    truth = Truth()
    await pair[0].read(truth)
    (key,) = await kept(redis, truth)
    await redis.delete(key)
    await redis.rpush(key, "a list")
    assert await pair[1].read(truth) == 1
    assert await pair[1].write(truth, 2)
    assert await pair[1].read(truth) == 2


async def test_only_an_asterisk_is_special_in_a_pattern_and_other_tenants_keep_theirs(
    pair: list[Process], redis: Redis
) -> None:
    mine, others = Truth(), Truth()
    odd, plain = r"p?[a-z]^{0}\x", "products:page:7:x"
    for truth in (mine, others):
        for name in (odd, plain, "another"):
            kind: Kind[int] = Kind(name, int, (60.0, 300.0))
            await pair[0].cache.get(truth.tenant, kind, "1", truth.load)  # type: ignore[arg-type]

    async def are_there() -> bool:
        return len(await redis.keys(f"*{mine.tenant.hex}*")) + len(await redis.keys(f"*{others.tenant.hex}*")) == 6

    await comes(are_there)
    assert await pair[1].cache.delete_matching(mine.tenant, [odd + "*"]) == 1
    assert await pair[1].cache.delete_matching(mine.tenant, ["p*page:*", "products:*"]) == 1
    assert await pair[1].cache.delete_matching(mine.tenant, ["p?[a-z]*", "an?ther:1"]) == 0
    assert await pair[1].cache.delete_matching(mine.tenant, ["*"]) == 1
    assert len(await redis.keys(f"*{others.tenant.hex}*")) == 3


async def test_a_pattern_goes_through_every_process_and_stops_what_is_being_loaded(pair: list[Process]) -> None:
    truth = Truth()
    for process in pair:
        await process.keeps(truth)
    truth.version = 2
    await pair[0].cache.delete_matching(truth.tenant, ["product:*"])

    async def is_new() -> bool:
        return await pair[1].read(truth) == 2

    assert await pair[0].read(truth) == 2
    await comes(is_new)


async def test_what_redis_alone_keeps_is_forgotten_without_anybody_waiting(pair: list[Process], redis: Redis) -> None:
    truth = Truth()
    await pair[0].cache.get(truth.tenant, SUMMARY, "me", truth.load)  # type: ignore[arg-type]

    async def is_there() -> bool:
        return bool(await redis.keys(f"*{truth.tenant.hex}:wallet:me"))

    async def is_gone() -> bool:
        return not await is_there()

    await comes(is_there)
    pair[1].cache.forget_later(truth.tenant, SUMMARY, ["me", "you"])
    await comes(is_gone)


async def test_each_step_in_redis_comes_to_what_the_model_says(pair: list[Process]) -> None:
    model, remote, chance = ModelRedis(Turns(lambda _: 0)), pair[0].remote, random.Random(7)
    places: list[Place] = [(uuid4().int, key) for key in ("a", "b")]
    leases = [uuid4().hex for _ in range(3)]
    for step in range(600):
        place, lease = chance.choice(places), chance.choice(leases)
        match chance.randrange(4):
            case 0:
                found = await remote.look(place, lease)
                assert found._replace(ttl_s=0.0) == model.look(place, lease)._replace(ttl_s=0.0), step
            case 1:
                late: list[int] = []
                remote.put(place, lease, b"%d" % step, 60.0, partial(late.append, step))
                is_kept = model.put(place, lease, b"%d" % step)
                await remote.look((uuid4().int, "behind it"), lease)
                assert late == ([] if is_kept else [step]), step
            case 2:
                some = chance.sample(places, chance.randint(1, 2))
                assert await remote.delete(some) == model.delete(some), step
            case _:
                assert await remote.take_lease(place, lease) == model.take_lease(place, lease), step


async def test_a_redis_that_has_forgotten_the_scripts_is_told_them_again(pair: list[Process], redis: Redis) -> None:
    truth = Truth()
    await pair[0].read(truth)
    await redis.script_flush()
    assert await pair[0].write(truth, 2)
    assert await pair[0].read(truth) == 2


async def test_a_connection_that_the_other_side_has_closed_costs_nobody_an_error(
    pair: list[Process], redis: Redis
) -> None:
    truth = Truth()
    for process in pair:
        await process.keeps(truth)
    await redis.client_kill_filter(_type="normal", skipme=True)
    await redis.client_kill_filter(_type="pubsub", skipme=True)
    assert await pair[0].read(truth) == 1
    await pair[0].write(truth, 2)
    assert await pair[0].read(truth) == 2
    for process in pair:
        await process.keeps(truth)
        assert await process.read(truth) == 2


async def test_a_redis_without_room_for_another_client_stops_nobody(redis_url: str, redis: Redis) -> None:
    truth, most = Truth(), await redis.config_get("maxclients")
    await redis.ping()
    await redis.config_set("maxclients", "1")
    try:
        async with processes(redis_url, limit_s=1.0) as (process,):
            assert await process.read(truth) == 1
            assert not await process.write(truth, 2)
            with pytest.raises(Unavailable):
                await process.cache.delete_counted(truth.tenant, [truth.key])
            assert await process.read(truth) == 2
    finally:
        await redis.config_set("maxclients", str(most["maxclients"]))


async def test_nothing_is_asked_of_a_cache_that_is_not_open(redis_url: str) -> None:
    truth, process = Truth(), Process(redis_url)
    assert await process.read(truth) == 1
    assert not await process.write(truth, 2)
    assert await process.read(truth) == 2
    assert process.asking.state == "closed"
