"""Waiting that ends: when a process is told to stop, or when it has taken long enough."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

GRACE_S = 0.01
"""What was there in time is taken, though this process looked too late."""


async def pause(pause_s: float, stop: asyncio.Event) -> None:
    """Wait so many seconds, or until the event is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(pause_s):
            await stop.wait()


async def in_time(answer: Awaitable[T], limit_s: float) -> T:
    """What it answers within the limit.

    Raises:
        TimeoutError: it does not. It is cancelled then.
    """
    task = asyncio.ensure_future(answer)
    try:
        # A process that was held up itself sees the limit pass before it sees the answer: it looks once more.
        for limit in (limit_s, GRACE_S):
            if (await asyncio.wait({task}, timeout=limit))[0]:
                return task.result()
    finally:
        task.cancel()
    raise TimeoutError
