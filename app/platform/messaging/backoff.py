"""How long to wait before the next try."""

import asyncio
import random
from contextlib import suppress


async def pause(pause_s: float, until: asyncio.Event) -> None:
    """Wait, or until the event is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(pause_s):
            await until.wait()


def backoff_s(first_s: float, most_s: float, failures: int) -> float:
    """The pause after so many failures: twice as long each time, and never quite the same."""
    jitter = random.uniform(0.5, 1)  # noqa: S311 -- nothing to guess here
    return min(most_s, first_s * 2.0 ** min(failures, 10)) * jitter
