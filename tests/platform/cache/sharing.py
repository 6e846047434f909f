"""Caches of several processes by one Redis, in one process: each with connections of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

from prometheus_client import CollectorRegistry

from app.kernel.principal import TenantId
from app.platform.cache.asking import Asking
from app.platform.cache.cache import TwoLevels
from app.platform.cache.in_process import InProcess
from app.platform.cache.messages import channel
from app.platform.cache.metrics import CacheMetrics
from app.platform.cache.ports import Kind
from app.platform.cache.redis_listening import RedisListening
from app.platform.cache.redis_remote import RedisRemote
from app.platform.cache.remote import Away
from app.platform.cache.running import Upkeep
from app.platform.cache.subscription import Subscription
from app.platform.cache.wire import Wire
from app.platform.process.redis_urls import redis_place

PATIENCE_S = 60.0
"""A machine that is busy is no Redis that is away."""
OTHERS_S = 0.2
"""After which other processes see what was written."""
PRODUCT: Kind[int | None] = Kind("product", int | None, (60.0, 300.0))


class Truth:
    """What the database says of one product, and how often it is asked."""

    def __init__(self) -> None:
        self.tenant, self.name = TenantId(uuid4()), uuid4().hex
        self.version: int | None = 1
        self.loads = 0

    @property
    def key(self) -> str:
        return PRODUCT.key(self.name)

    async def load(self) -> int | None:
        self.loads += 1
        version = self.version
        await asyncio.sleep(0.005)
        return version


class Process:
    """A process's cache, and what it is made of."""

    def __init__(self, url: str, limit_s: float = PATIENCE_S) -> None:
        place, self.registry = redis_place(url), CollectorRegistry()
        self.level1, self.metrics = InProcess(10_000_000), CacheMetrics(self.registry)
        self.asking = Asking(Wire(place), limit_s, self.metrics.breaker)
        self.subscription = Subscription(self.asking, lambda: RedisListening(place), channel(place), self.level1)
        self.remote = RedisRemote(self.asking, channel(place))
        self.cache = TwoLevels(self.level1, self.subscription, self.remote, self.metrics)
        self.upkeep = Upkeep(self.cache, self.level1, self.metrics, (self.asking, self.subscription))

    @property
    def hears(self) -> bool:
        """Whether it says that it hears what others delete."""
        return self.subscription.hearing == "heard"

    async def read(self, truth: Truth) -> int | None:
        return await self.cache.get(truth.tenant, PRODUCT, truth.name, truth.load)

    async def write(self, truth: Truth, version: int) -> bool:
        """Commit, and answer once the cache has been told: whether it confirmed it."""
        truth.version = version
        return await self.cache.delete(truth.tenant, [truth.key])

    async def confirms(self, truth: Truth, version: int) -> None:
        """Commit, and have it confirmed: within the limit of a cache it is not, perhaps, on a busy machine."""

        async def is_confirmed() -> bool:
            return await self.write(truth, version)

        await comes(is_confirmed)

    async def keeps(self, truth: Truth) -> None:
        """Read until it is served from the process itself."""
        place = (truth.tenant.int, truth.key)

        async def is_kept() -> bool:
            await self.read(truth)
            return self.subscription.is_fresh and self.level1.get(place) is not None

        await comes(is_kept)

    async def shares(self, truth: Truth) -> None:
        """Read until it is served from the process itself, and kept in Redis for others: that is not waited for, and
        within the limit of a cache it is not, perhaps, on a busy machine."""
        place = (truth.tenant.int, truth.key)

        async def is_shared() -> bool:
            await self.keeps(truth)
            with suppress(Away):
                if (await self.remote.look(place, uuid4().hex)).value is not None:
                    return True
            await self.cache.delete(truth.tenant, [truth.key])
            return False

        await comes(is_shared)


@asynccontextmanager
async def processes(*urls: str, limit_s: float = PATIENCE_S) -> AsyncIterator[list[Process]]:
    """A process for each of the URLs."""
    each = [Process(url, limit_s) for url in urls]
    async with _all(each):
        yield each


@asynccontextmanager
async def _all(each: list[Process]) -> AsyncIterator[None]:
    if not each:
        yield
        return
    async with each[0].upkeep.opened(), _all(each[1:]):
        yield


async def comes(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():  # noqa: ASYNC110 -- others make it true
            await asyncio.sleep(0.01)
