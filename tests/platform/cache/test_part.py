"""What `strongbox status` says of the cache, and the few rights with which it works."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis

from app.kernel.errors import Unavailable
from app.main.local.redis import RedisServer
from app.platform.cache import part
from app.platform.cache.part import cache
from app.platform.operations.health import State
from tests.platform.cache.sharing import Truth, processes
from tests.platform.redis_fixtures import mortal_redis, redis_url

__all__ = ["mortal_redis", "redis_url"]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that a busy machine has wait is none that is away."""
    monkeypatch.setattr(part, "LOOK_S", 60.0)


async def test_one_that_keeps_and_forgets_is_well(redis_url: str) -> None:
    assert (await cache(redis_url).look()).state is State.OK


async def test_one_that_is_full_keeps_nothing_new(mortal_redis: RedisServer) -> None:
    async with Redis.from_url(mortal_redis.url) as operator:
        await operator.config_set("maxmemory-policy", "noeviction")
        await operator.config_set("maxmemory", "1")
    found = await cache(mortal_redis.url).look()
    assert (found.state, found.seen) == (State.DEGRADED, "forgets, and keeps nothing new")


async def test_one_that_is_away_is_down(mortal_redis: RedisServer) -> None:
    mortal_redis.stop()
    with pytest.raises(Unavailable, match=r"^Redis keeps nothing \(ConnectionError\)$"):
        await cache(mortal_redis.url).look()


async def test_a_login_needs_few_rights_and_the_page_says_which(mortal_redis: RedisServer) -> None:
    page = (Path(__file__).parents[3] / "docs/concepts/cache.md").read_text()
    (rights,) = (line for line in page.splitlines() if line.startswith("~strongbox:cache:*"))
    async with Redis.from_url(mortal_redis.url) as operator:
        await operator.execute_command("ACL", "SETUSER", "cache", "on", ">few-rights", *rights.split())  # type: ignore[no-untyped-call]
        url = urlsplit(mortal_redis.url)._replace(netloc=f"cache:few-rights@127.0.0.1:{mortal_redis.port}").geturl()
        assert (await cache(url).look()).state is State.OK
        async with processes(url) as (process,):
            truth = Truth()
            await process.keeps(truth)
            assert await process.write(truth, 2)
            assert await process.cache.delete_matching(truth.tenant, ["*"]) == 0
            assert await process.read(truth) == 2
        await operator.execute_command("ACL", "SETUSER", "cache", "-info")  # type: ignore[no-untyped-call]
        with pytest.raises(Unavailable, match="NoPermissionError"):
            await cache(url).look()
