"""Lookout: which outboxes of a database have something to publish, asked of all of them at once.

With an outbox for each context most are quiet, and asking each by itself costs as much as relaying one that is busy.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from app.platform.process.rounds import Rounds

LOOK_S: Final = 0.1

Unsent = Callable[[], Awaitable[Collection[str]]]
"""The names of the outboxes that hold something unsent. Raises `Unavailable` while the database is out of reach."""


class Lookout:
    """Says which outbox has something to publish, for as long as it has."""

    def __init__(self, unsent: Unsent) -> None:
        self._unsent = unsent
        self._events: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def over(self, outbox: str) -> asyncio.Event:
        """What is set each time that the outbox of that name is seen to hold something unsent. Its relay clears it."""
        return self._events[outbox]

    async def run(self, stop: asyncio.Event) -> None:
        """Look until told to stop."""
        stopped = asyncio.create_task(stop.wait())
        rounds = Rounds("lookout")
        try:
            while not stop.is_set():
                with rounds.survived():
                    for outbox in await self._unsent():
                        self._events[outbox].set()
                await asyncio.wait({stopped}, timeout=rounds.wait_s(LOOK_S))
        finally:
            stopped.cancel()
