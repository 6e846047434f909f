"""Waiting that ends when a process is told to stop."""

import asyncio
from contextlib import suppress


async def pause(pause_s: float, stop: asyncio.Event) -> None:
    """Wait so many seconds, or until the event is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(pause_s):
            await stop.wait()
