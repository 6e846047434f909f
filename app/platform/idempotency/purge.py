"""Forgetting keys whose time is over."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from app.platform.idempotency.statements import IdempotencyKeys
from app.platform.postgres.errors import reading
from app.platform.postgres.pool import Pool, session
from app.platform.process.rounds import Rounds
from app.platform.process.waiting import pause

PURGE_EVERY_S: Final = 5.0
PURGE_BATCH: Final = 1_000
_BETWEEN_BATCHES_S: Final = 0.02


class ExpiredKeys:
    """The keys of a table that were final longer than a while ago, in hours."""

    def __init__(self, pool: Pool, keys: IdempotencyKeys, ttl_h: float) -> None:
        self._pool = pool
        self._purge = keys.purge
        self._ttl_h = ttl_h

    @reading
    async def purge(self, limit: int) -> int:
        """Delete up to `limit` of them; how many that were."""
        async with session(self._pool) as connection:
            cursor = await connection.execute(self._purge.encode(), (self._ttl_h, limit))
            return cursor.rowcount


@asynccontextmanager
async def purging(task: str, keys: ExpiredKeys) -> AsyncIterator[None]:
    """Have keys deleted meanwhile. `task` is what the log calls it."""
    stop = asyncio.Event()
    running = asyncio.create_task(keep_purging(task, keys.purge, stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def keep_purging(task: str, purge: Callable[[int], Awaitable[int]], stop: asyncio.Event) -> None:
    """Have keys deleted until `stop` is set, so many at a time. `task` is what the log calls it."""
    rounds = Rounds(task)
    while not stop.is_set():
        purged = 0
        with rounds.survived():
            purged = await purge(PURGE_BATCH)
        await pause(_BETWEEN_BATCHES_S if purged == PURGE_BATCH else rounds.wait_s(PURGE_EVERY_S), stop)
