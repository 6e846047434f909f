"""Waiting, so that the time of an answer says nothing."""

import asyncio
import time


async def until(moment: float) -> None:
    """Wait until that time of `time.monotonic`. A loop's timers may be a little early: it is looked again."""
    while (left_s := moment - time.monotonic()) > 0:  # noqa: ASYNC110 -- nothing happens then that could be waited for
        await asyncio.sleep(left_s)
