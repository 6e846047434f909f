"""Release the holds whose time is over."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.contexts.funds.application.closing import Closing, Release
from app.contexts.funds.domain.hold import HoldRef
from app.contexts.funds.public import Closed, Refused
from app.kernel.errors import Unavailable
from app.platform.process.rounds import Rounds
from app.platform.process.waiting import pause

AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class Ending:
    """Open holds whose time is over, by the database's clock, and in how many seconds the next one's is."""

    over: Sequence[HoldRef]
    next_in_s: float | None


class ExpiringHolds(Protocol):
    """Open holds that have an end."""

    async def ending(self, most: int) -> Ending:
        """Those whose time is over, longest first, up to so many.

        Raises:
            Unavailable: the books are out of reach.
        """
        ...


class Expire:
    """Looks for holds whose time is over, and releases them.

    Any number may run: the first to close a hold wins. A hold that nobody can get at now is tried again in the next
    round.
    """

    def __init__(
        self,
        holds: ExpiringHolds,
        close: Callable[[Closing], Awaitable[Closed | Refused]],
        every_s: float,
        observe: Callable[[int], None],
    ) -> None:
        self._holds = holds
        self._close = close
        self._every_s = every_s
        self._observe = observe
        self._rounds = Rounds("hold_expiry")

    async def run(self, stop: asyncio.Event) -> None:
        """Do so, in time, until `stop` is set. A database out of reach is waited for."""
        while not stop.is_set():
            wait_s = self._every_s
            with self._rounds.survived():
                wait_s = await self.once()
            await pause(self._rounds.wait_s(wait_s), stop)

    async def once(self) -> float:
        """Release what is over now; the seconds until something may be over again.

        Raises:
            Unavailable: the books are out of reach.
        """
        ending = await self._holds.ending(AT_ONCE)
        closed = await asyncio.gather(*map(self._release, ending.over))
        self._observe(sum(closed))
        if len(ending.over) == AT_ONCE and any(closed):
            return 0.0
        return self._every_s if ending.next_in_s is None else min(self._every_s, ending.next_in_s)

    async def _release(self, hold: HoldRef) -> bool:
        try:
            return isinstance(await self._close(Release(hold)), Closed)
        except Unavailable:
            return False
