"""What `strongbox status` says of a Redis."""

import pytest

from app.kernel.errors import Unavailable
from app.main.local.redis import RedisServer
from app.platform.limits import part as parts
from app.platform.limits.part import health, redis
from app.platform.operations.health import State
from tests.platform.redis_fixtures import mortal_redis, redis_url

__all__ = ["mortal_redis", "redis_url"]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that a busy machine has wait is none that is away."""
    monkeypatch.setattr(parts, "LOOK_S", 60.0)


async def test_one_that_counts_is_well_and_says_what_it_is(redis_url: str) -> None:
    found = await redis(redis_url).look()
    assert found.state is State.OK
    assert found.seen.partition(" ")[0] in ("Redis", "Valkey")
    assert found.figures["policy"] == "volatile-lru"


async def test_one_that_is_away_needs_attention(mortal_redis: RedisServer) -> None:
    mortal_redis.stop()
    part = redis(mortal_redis.url)
    with pytest.raises(Unavailable, match=r"^Redis does not count \(ConnectionError\)$"):
        await part.look()
    assert part.hint.startswith("see to Redis")


async def test_the_password_is_not_shown_where_it_is_wrong(redis_url: str) -> None:
    with pytest.raises(Unavailable, match=r"^Redis does not count \(AuthenticationError\)$"):
        await redis(redis_url.replace("redis://:", "redis://:s3cret")).look()


@pytest.mark.parametrize(
    ("info", "state"),
    [
        ({}, State.OK),
        ({"maxmemory": "100", "used_memory": "89", "maxmemory_policy": "noeviction"}, State.OK),
        ({"maxmemory": "100", "used_memory": "90", "maxmemory_policy": "noeviction"}, State.DEGRADED),
        ({"maxmemory": "100", "used_memory": "99", "maxmemory_policy": "volatile-ttl", "evicted_keys": "7"}, State.OK),
        ({"maxmemory": "0", "used_memory": "99", "maxmemory_policy": "noeviction"}, State.OK),
    ],
)
def test_one_that_will_refuse_writes_soon_needs_attention(info: dict[str, str], state: State) -> None:
    found = health(info)
    assert found.state is state
    assert (found.hint is None) == (state is State.OK)
    assert ("7 key(s) evicted" in found.seen) == ("evicted_keys" in info)
