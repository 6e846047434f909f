"""Use cases in lanes, asked by callers that have patience."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import UUID

from psycopg_pool import PoolTimeout

from app.kernel.errors import Unavailable
from app.platform.postgres.batching import make_lanes
from app.platform.postgres.lanes import BatchObserver, HeldElsewhere, unobserved
from app.platform.postgres.pool import Pool

C = TypeVar("C")
R = TypeVar("R")

LIMIT_S = 120.0


def in_lanes(
    use_case: Callable[[Sequence[C]], Awaitable[Sequence[R]]],
    user_of: Callable[[C], UUID],
    pool: Pool,
    observe: BatchObserver = unobserved,
) -> Callable[[C], Awaitable[R]]:
    """The use case, batched as in a process of its own. Whoever hears that somebody else holds the rows, or has the
    connections, asks again, as callers do: on a busy machine that may be for longer than anybody waits for them."""
    lanes = make_lanes(use_case, user_of, pool, observe)

    async def ask(command: C) -> R:
        async with asyncio.timeout(LIMIT_S):
            while True:
                try:
                    return await lanes.submit(command)
                except Unavailable as error:
                    if not isinstance(error, HeldElsewhere) and not isinstance(error.__cause__, PoolTimeout):
                        raise

    return ask
