"""The cache's half in Redis, as `strongbox status` sees it."""

import asyncio
from functools import partial
from typing import Final
from uuid import uuid4

from app.kernel.errors import Unavailable
from app.platform.cache.messages import channel, of_places
from app.platform.operations.health import LOOK_S, Health, Part, State
from app.platform.process.redis_urls import redis_place

LASTS_MS: Final = 10_000
"""How long the probe is kept: by far longer than a look takes, or a slow one would find that it is gone."""
_SEE_TO_REDIS: Final = "see to Redis: until it answers all is read from the database"


def cache(url: str) -> Part:
    """The Redis of the URL, as what was read lately is kept there."""
    return Part("cache", partial(_look, url), _SEE_TO_REDIS)


async def _look(url: str) -> Health:
    from app.platform.cache.scripts import DELETE, LOOK, PUBLISH, PUT, Call  # noqa: PLC0415 -- only where there is one
    from app.platform.cache.wire import Wire  # noqa: PLC0415

    place = redis_place(url)
    keys, lease, wire = (f"v:{uuid4().hex}:probe", f"l:{uuid4().hex}:probe"), uuid4().hex, Wire(place)
    probe = [
        Call(LOOK, keys, (lease, LASTS_MS)),
        Call(PUT, keys, (lease, b"probe", LASTS_MS)),
        Call(LOOK, keys, (lease, LASTS_MS)),
        Call(DELETE, keys, ("strongbox:cache:probe", b"")),
        # That nothing has been deleted: whoever listens is counted, and forgets nothing.
        Call(PUBLISH, (), (channel(place), of_places([]))),
    ]
    try:
        async with asyncio.timeout(LOOK_S):
            _, is_kept, (found, _), removed, listening = await wire.exchange(probe)
    except Exception as error:
        raise Unavailable(f"Redis keeps nothing ({type(error).__name__})") from error
    finally:
        await wire.close()
    figures = {"listening": listening}
    if (is_kept, found, removed) != (1, b"probe", 1):
        hint = "its memory is full: raise maxmemory, or set maxmemory-policy to volatile-lru"
        return Health(State.DEGRADED, "forgets, and keeps nothing new", hint, figures)
    return Health(State.OK, "keeps, and forgets", None, figures)
