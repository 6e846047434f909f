"""Keep the outbox small and its backlog known, beside a relay."""

import asyncio
from collections.abc import Callable
from typing import Final

from app.platform.messaging.ports import Backlog, Upkeep
from app.platform.process.rounds import Rounds
from app.platform.process.waiting import pause

OBSERVE_EVERY_S: Final = 2.0
CLEAN_UP_EVERY_S: Final = 60.0
# Small enough that a delete never holds up the payments' inserts.
CLEAN_UP_BATCH: Final = 1000


async def keep_up(
    outbox: Upkeep,
    retention_h: float,
    observe: Callable[[Backlog], None],
    stop: asyncio.Event,
    clean_up_every_s: float = CLEAN_UP_EVERY_S,
) -> None:
    """Report the backlog every few seconds, and now and then delete what was sent longer ago than the retention."""
    loop = asyncio.get_running_loop()
    next_clean_up = loop.time()
    rounds = Rounds("outbox_upkeep")
    while not stop.is_set():
        with rounds.survived():
            observe(await outbox.backlog())
            if loop.time() >= next_clean_up:
                next_clean_up = loop.time() + clean_up_every_s
                while await outbox.clean_up(retention_h, CLEAN_UP_BATCH) == CLEAN_UP_BATCH:
                    if stop.is_set():
                        return
                    await asyncio.sleep(0.02)
        await pause(rounds.wait_s(min(OBSERVE_EVERY_S, clean_up_every_s)), stop)
