"""Redis is away, frozen, slow, full or somebody else's: requests go on, nobody waits twice, and all come back to it."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from structlog.testing import capture_logs

from app.main.local.redis import RedisServer
from app.platform.limits import make, shared
from app.platform.limits.ports import Limits
from app.platform.limits.shared import LIMIT_S, SharedBuckets
from app.platform.process.settings import PlatformSettings
from tests.pace import slow
from tests.platform.outbox_fixtures import eventually
from tests.platform.redis_fixtures import mortal_redis
from tests.platform.taking import PATIENCE_S, shared_buckets

__all__ = ["mortal_redis"]

BURST = 5
BUSY_S = 1.0
"""Of a machine that does much else, beside what a request may wait."""


class Limited:
    """The limits of a process, its metric, and what it does with them."""

    def __init__(self, limits: Limits, registry: CollectorRegistry) -> None:
        self.limits, self._registry = limits, registry

    @property
    def is_alone(self) -> bool:
        return self._registry.get_sample_value("strongbox_limits_by_process") == 1

    async def pass_of(self, times: int, key: str) -> int:
        """How many of so many that ask at the same time pass."""
        taken = await asyncio.gather(*(self.limits.take("ip", key) for _ in range(times)))
        return taken.count(None)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is busy is none that is away, when it is looked for."""
    monkeypatch.setattr(shared, "RETURN_LIMIT_S", PATIENCE_S)


@asynccontextmanager
async def limited(url: str, limit_s: float = PATIENCE_S) -> AsyncIterator[Limited]:
    """The limits as the API has them, but for the time that a request waits for a Redis that is there."""
    registry = CollectorRegistry()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SharedBuckets.__init__, "__defaults__", (limit_s,))
        limits = make(PlatformSettings(redis_url=url, rate_limit_ip=f"0.001:{BURST}"), registry)
    async with limits.opened():
        yield Limited(limits, registry)


async def test_while_redis_is_away_each_process_counts_alone_and_then_together_again(
    mortal_redis: RedisServer,
) -> None:
    async with limited(mortal_redis.url) as one, limited(mortal_redis.url) as other:
        assert await one.pass_of(3, "a") + await other.pass_of(3, "a") == BURST
        mortal_redis.kill()
        assert (await one.pass_of(9, "b"), await other.pass_of(9, "b")) == (BURST, BURST)
        await eventually(lambda: one.is_alone and other.is_alone)
        mortal_redis.start()
        await eventually(lambda: not one.is_alone and not other.is_alone)
        assert await one.pass_of(9, "c") + await other.pass_of(9, "c") == BURST


async def test_a_process_that_starts_without_redis_serves_and_finds_it_when_it_is_there(
    mortal_redis: RedisServer,
) -> None:
    mortal_redis.stop()
    async with limited(mortal_redis.url) as one:
        assert one.is_alone
        assert await one.pass_of(9, "a") == BURST
        mortal_redis.start()
        await eventually(lambda: not one.is_alone)


async def test_a_frozen_redis_is_waited_for_once_and_briefly_however_many_ask(mortal_redis: RedisServer) -> None:
    async with limited(mortal_redis.url, LIMIT_S) as one:
        await eventually(lambda: not one.is_alone)
        assert mortal_redis.process
        mortal_redis.process.send(signal.SIGSTOP)
        began_s = time.monotonic()
        assert await one.pass_of(1000, "a") == BURST
        assert time.monotonic() - began_s < slow(LIMIT_S + BUSY_S)
        assert one.is_alone
        for _ in range(1000):
            answers_at_once(one.limits.take("ip", "b"))
            answers_at_once(one.limits.give_back("ip", "b"))
        mortal_redis.process.send(signal.SIGCONT)
        await eventually(lambda: not one.is_alone)


def answers_at_once(call: Any) -> None:
    """It waits for nothing."""
    with pytest.raises(StopIteration):
        call.send(None)


async def test_a_redis_that_is_too_slow_is_not_waited_for_and_taken_again_when_it_is_not(
    mortal_redis: RedisServer,
) -> None:
    async with limited(mortal_redis.url, LIMIT_S) as one, Redis.from_url(mortal_redis.url) as operator:
        await eventually(lambda: not one.is_alone)
        await operator.client_pause(3000)
        began_s = time.monotonic()
        assert await one.pass_of(9, "a") == BURST
        assert time.monotonic() - began_s < slow(LIMIT_S + BUSY_S)
        assert one.is_alone
        await eventually(lambda: not one.is_alone)
        # What it was asked meanwhile it has counted, or not: nobody gets another's answer.
        assert await one.pass_of(9, "b") == BURST


@pytest.mark.parametrize("policy", ["noeviction", "volatile-ttl", "volatile-lru", "allkeys-lru", "allkeys-random"])
async def test_a_full_redis_is_no_error_whatever_it_evicts(mortal_redis: RedisServer, policy: str) -> None:
    async with limited(mortal_redis.url) as one, Redis.from_url(mortal_redis.url) as operator:
        await operator.config_set("maxmemory-policy", policy)
        await operator.config_set("maxmemory", "1")
        assert [await one.limits.take("ip", str(number)) for number in range(50)] == [None] * 50
        await eventually(lambda: one.is_alone)
        await operator.config_set("maxmemory", "0")
        await eventually(lambda: not one.is_alone)


async def test_a_redis_that_became_a_replica_is_left_until_it_is_none(mortal_redis: RedisServer) -> None:
    async with limited(mortal_redis.url) as one, Redis.from_url(mortal_redis.url) as operator:
        await operator.replicaof("127.0.0.1", "1")
        assert await one.pass_of(9, "a") == BURST
        await eventually(lambda: one.is_alone)
        await operator.replicaof("NO", "ONE")
        await eventually(lambda: not one.is_alone)


async def test_a_wrong_password_is_warned_of_once_and_never_shown(mortal_redis: RedisServer) -> None:
    with capture_logs() as logs:
        async with limited(f"redis://somebody:s3cret@127.0.0.1:{mortal_redis.port}") as one:
            assert await one.pass_of(9, "a") == BURST
            await asyncio.sleep(2 * shared.FIRST_PAUSE_S + 0.5)
            assert one.is_alone
    warnings = [line for line in logs if line["log_level"] == "warning"]
    assert [(line["event"], line["why"]) for line in warnings] == [("limits_by_process", "AuthenticationError")]
    assert "s3cret" not in str(logs)
    assert "127.0.0.1" not in str(logs)


async def test_one_that_comes_and_goes_is_warned_of_once_a_minute_and_left_for_longer_each_time() -> None:
    told: list[bool] = []
    unsteady = _Unsteady()
    of = SharedBuckets(unsteady, told.append)
    with capture_logs() as logs:
        await of.open()
        for pause_s in (1.0, 2.0, 4.0, 5.0, 5.0):
            unsteady.fails = 1
            assert await of.ask(shared.PROBE) is None
            assert of._pause_s == pause_s
            await of.open()
    assert told == [True, False] * 5 + [True]
    assert [line["event"] for line in logs].count("limits_by_process") == 1
    await of.close()


class _Unsteady:
    """Fails as often as it is told to."""

    def __init__(self) -> None:
        self.fails = 0

    async def ask(self, asks: Any) -> Any:
        if self.fails:
            self.fails -= 1
            raise ConnectionResetError
        return [0] * len(asks)

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    "says", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"+OK\r\n", b"*1\r\n$1\r\nx\r\n", b"*0\r\n"]
)
async def test_what_is_no_redis_is_none(says: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(says)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, limited(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}") as one:
        assert one.is_alone
        assert await one.pass_of(9, "a") == BURST


async def test_who_goes_away_while_redis_is_asked_takes_nothing_from_others(mortal_redis: RedisServer) -> None:
    told: list[bool] = []
    of = shared_buckets(mortal_redis.url, told)
    await of.open()
    asking = [asyncio.create_task(of.ask(shared.PROBE)) for _ in range(20)]
    await asyncio.sleep(0)
    for task in asking[::2]:
        task.cancel()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert [answer for answer in answers if not isinstance(answer, asyncio.CancelledError)] == [0.0] * 10
    await of.close()
    assert told == [True]
