"""The Redis that limits are shared by, as `strongbox status` sees it."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from app.kernel.errors import Unavailable
from app.platform.limits.shared import PROBE
from app.platform.operations.health import LOOK_S, Health, Part, State
from app.platform.process.redis_urls import redis_place

if TYPE_CHECKING:
    from app.platform.limits.redis_buckets import RedisBuckets

_SEE_TO_REDIS = "see to Redis: until it answers limits are counted by each process, and nothing comes from the cache"
_NEARLY_FULL = 0.9


def redis(url: str) -> Part:
    """The Redis of the URL. Its client takes long to load: not when the looks' time runs already."""
    from app.platform.limits.redis_buckets import RedisBuckets  # noqa: PLC0415 -- only where there is one

    return Part("redis", partial(_look, url, RedisBuckets), _SEE_TO_REDIS)


def health(info: Mapping[str, str]) -> Health:
    """What a server that counts says of itself; with nothing said it is well."""
    name = "Valkey" if info.get("server_name") == "valkey" else "Redis"
    version = info.get("valkey_version") or info.get("redis_version") or "of a version that it does not tell"
    used, most = (int(info.get(key) or 0) for key in ("used_memory", "maxmemory"))
    policy, evicted = info.get("maxmemory_policy"), int(info.get("evicted_keys") or 0)
    seen = f"{name} {version}, {used / 1e6:.1f} MB used" + (f" of {most / 1e6:.1f} MB" if most else "")
    if evicted:
        seen += f", {evicted} key(s) evicted"
    figures = {"version": version, "used_memory": used, "maxmemory": most, "policy": policy, "evicted_keys": evicted}
    if policy == "noeviction" and most and used >= _NEARLY_FULL * most:
        hint = "its memory is nearly full: raise maxmemory, or set maxmemory-policy to volatile-lru"
        return Health(State.DEGRADED, seen, hint, figures)
    return Health(State.OK, seen, None, figures)


async def _look(url: str, client: "type[RedisBuckets]") -> Health:
    buckets = client(redis_place(url))
    try:
        async with asyncio.timeout(LOOK_S):
            await buckets.ask([PROBE])
            return health(await buckets.info())
    except Exception as error:
        raise Unavailable(f"Redis does not count ({type(error).__name__})") from error
    finally:
        await buckets.close()
