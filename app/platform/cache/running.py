"""The cache of a process as it is opened and closed, and what it does meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from app.platform.cache.asking import Asking
from app.platform.cache.cache import TwoLevels
from app.platform.cache.in_process import InProcess
from app.platform.cache.metrics import CacheMetrics
from app.platform.cache.remote import Away
from app.platform.cache.scripts import MEMORY, Call
from app.platform.cache.subscription import Subscription
from app.platform.process.rounds import Rounds
from app.platform.process.waiting import pause

UPKEEP_EVERY_S: Final = 0.1
LOOK_EVERY_S: Final = 5.0
"""At what Redis uses."""


class Upkeep:
    """Keeps a cache in touch with Redis, where there is one, and its metrics up."""

    def __init__(
        self,
        cache: TwoLevels,
        level1: InProcess,
        metrics: CacheMetrics,
        redis: tuple[Asking, Subscription] | None,
    ) -> None:
        self._cache, self._level1, self._metrics, self._redis = cache, level1, metrics, redis

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Keep it up meanwhile. Nobody waits for Redis."""
        stop = asyncio.Event()
        works = [self._keep_up(stop)]
        if self._redis:
            asking, subscription = self._redis
            asking.open()
            works += [subscription.keep_beating(stop), self._look(asking, stop)]
        tasks = [asyncio.create_task(work) for work in works]
        listening = asyncio.create_task(self._redis[1].listen()) if self._redis else None
        try:
            yield
        finally:
            stop.set()
            await self._cache.close()
            if listening:
                listening.cancel()  # it may hear nothing for a while
                await asyncio.wait({listening})
            for task in tasks:
                await task
            if self._redis:
                await self._redis[0].close()

    async def _keep_up(self, stop: asyncio.Event) -> None:
        rounds = Rounds("cache upkeep")
        while not stop.is_set():
            with rounds.survived():
                await self._cache.repeat_unconfirmed()
                self._flush()
            await pause(UPKEEP_EVERY_S, stop)
        self._flush()

    def _flush(self) -> None:
        self._metrics.flush(self._level1.bytes, self._level1.evictions)
        if self._redis:
            self._metrics.told(self._redis[1].hearing, self._cache.unconfirmed)

    async def _look(self, asking: Asking, stop: asyncio.Event) -> None:
        rounds = Rounds("cache memory")
        while not stop.is_set():
            with rounds.survived(), suppress(Away):
                self._metrics.level2(_used(await asking.ask(Call(MEMORY, (), ()))))
            await pause(LOOK_EVERY_S, stop)


def _used(said: bytes) -> int:
    for line in said.decode("utf-8", "replace").splitlines():
        if line.startswith("used_memory:"):
            return int(line.partition(":")[2])
    return 0
