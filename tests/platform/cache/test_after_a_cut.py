"""What was kept before Redis was out of reach, and written meanwhile, is nowhere 2 s after it answers again."""

import asyncio
import signal
import time
from uuid import uuid4

from redis.asyncio import Redis

from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.main.local.redis import RedisServer
from app.main.local.roles import Urls
from app.platform.cache.asking import LIMIT_S
from app.platform.cache.deletions import CacheDeletions, Forgetter
from app.platform.people import House
from app.platform.postgres.plans import make_planned_pool
from app.platform.postgres.tenancy import TenantRows
from tests.fakes.people import FakePeople
from tests.pace import slow
from tests.platform.cache.sharing import Truth, comes, processes
from tests.platform.redis_fixtures import mortal_redis

__all__ = ["mortal_redis"]

AFTER_THE_HEAL_S = 2.0


class Tenants(FakePeople):
    """A directory of one tenant."""

    def __init__(self, tenant: TenantId) -> None:
        super().__init__()
        self.one = tenant

    async def tenants(self) -> list[House]:
        return [House(self.one, UserId(uuid4()))]


async def test_what_a_dead_writer_had_noted_is_gone_two_seconds_after_redis_answers_again(
    mortal_redis: RedisServer, module_database: Urls
) -> None:
    """The writer committed while Redis was halted, and died: recovery, which has the note, is all there is."""
    assert mortal_redis.process
    truth, stop = Truth(), asyncio.Event()
    notes = CacheDeletions("catalog")
    async with (
        make_planned_pool(module_database.app_url, "cache", 2) as pool,
        processes(mortal_redis.url, mortal_redis.url, limit_s=LIMIT_S) as (recovery, reader),
        asyncio.timeout(120),
        asyncio.TaskGroup() as tasks,
    ):
        rows = TenantRows(pool)

        async def is_degraded() -> bool:
            return recovery.cache.is_degraded

        await reader.keeps(truth)
        mortal_redis.process.send(signal.SIGSTOP)
        try:
            await rows.run(truth.tenant, notes.note(truth.tenant, [truth.key]).call)
            truth.version = 2
            tasks.create_task(Forgetter(recovery.cache, rows, "catalog").run(Tenants(truth.tenant), stop))
            await comes(is_degraded)
        finally:
            mortal_redis.process.send(signal.SIGCONT)
        async with Redis.from_url(mortal_redis.url) as client:
            await client.ping()
            healed_at = time.monotonic()

            async def is_gone() -> bool:
                return not await client.keys(f"*:v:*{truth.key}")

            await comes(is_gone)
        assert time.monotonic() - healed_at < slow(AFTER_THE_HEAL_S)
        assert await reader.read(truth) == 2
        stop.set()
