"""Who is let in, as of a moment ago: what the database says of log-ins, sessions and machines, remembered for less than
a second. What was revoked is therefore refused within one, in every process, and by nobody's leave but the database's.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from enum import Enum, auto
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from app.kernel.errors import Unavailable
from app.kernel.principal import Principal, TenantId
from app.platform.people import NotLetIn

GOOD_FOR_S: Final = 0.5
"""How long a word of the database's is taken for what is so, from when it was asked."""
OLDEST_S: Final = 0.9
"""What took longer to be said is not known any more."""
MOST: Final = 20_000
"""Of whom something is remembered."""


class Kind(Enum):
    """What somebody is known by."""

    FAMILY = auto()
    SESSION = auto()
    CLIENT = auto()


class Key(NamedTuple):
    """What is asked for: a log-in, a session by its token's hash, a machine."""

    kind: Kind
    value: UUID | bytes


class Word(NamedTuple):
    """What the database says of somebody who stands. The generation is that of a machine's secret."""

    principal: Principal
    generation: int = 0


class Standing(NamedTuple):
    """The same, remembered. `clock_s` is what the database's clock is ahead of ours, which counts from some moment."""

    principal: Principal
    generation: int
    clock_s: float
    good_until: float


class Standings(Protocol):
    """Whoever knows who stands."""

    async def read(self, tenant_id: TenantId, keys: Collection[Key]) -> tuple[Mapping[Key, Word], float]:
        """What is to be said of those of them that let in now; and the database's clock, in seconds of the epoch.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...


_Waiters = dict[Key, "list[asyncio.Future[Standing]]"]
"""Who waits for what, each for himself: one that is cancelled takes the answer from nobody else."""


class WhoStands:
    """Remembers who stands. What it cannot know it never guesses."""

    def __init__(self, standings: Standings, ticks: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        self._standings = standings
        self._ticks = ticks
        self._most = most
        self._known: dict[Key, Standing] = {}
        self._next: dict[TenantId, _Waiters] = {}
        self._asking: dict[TenantId, asyncio.Task[None]] = {}

    def fresh(self, key: Key) -> Standing | None:
        """What is remembered, if it is new enough."""
        known = self._known.get(key)
        return known if known is not None and known.good_until > self._ticks() else None

    def forget(self, somebody: UUID) -> None:
        """Remember nothing of a user or a machine: this process has just changed what lets them in."""
        for key in [key for key, known in self._known.items() if known.principal.id == somebody]:
            del self._known[key]

    async def ask(self, tenant_id: TenantId, key: Key) -> Standing:
        """What the database says now. Whoever asks meanwhile is answered together, by the next round trip.

        Raises:
            NotLetIn: they do not stand.
            Unavailable: it cannot be known now.
        """
        round_ = self._next.get(tenant_id)
        if round_ is None:
            round_ = self._next[tenant_id] = {}
            if tenant_id not in self._asking:
                self._asking[tenant_id] = asyncio.create_task(self._work(tenant_id))
        answer: asyncio.Future[Standing] = asyncio.get_running_loop().create_future()
        round_.setdefault(key, []).append(answer)
        return await answer

    async def _work(self, tenant_id: TenantId) -> None:
        """Ask round after round, as long as somebody wants to know."""
        try:
            while round_ := self._next.pop(tenant_id, None):
                failure: Exception = Unavailable("ended")
                found: Mapping[Key, Standing] | None = None
                try:
                    found = await self._asked(tenant_id, round_.keys())
                except Exception as error:  # whatever it is, it is said to those who wait
                    failure = error
                finally:
                    _answer(round_, found, failure)
        finally:
            del self._asking[tenant_id]

    async def _asked(self, tenant_id: TenantId, keys: Collection[Key]) -> Mapping[Key, Standing]:
        began = self._ticks()
        try:
            async with asyncio.timeout(OLDEST_S):
                found, now_s = await self._standings.read(tenant_id, keys)
        except TimeoutError:
            raise Unavailable("the database took too long to say who stands") from None
        standings = {
            key: Standing(word.principal, word.generation, now_s - began, began + GOOD_FOR_S)
            for key, word in found.items()
        }
        for key in keys:
            self._known.pop(key, None)
        self._known |= standings
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]
        return standings


def _answer(round_: _Waiters, found: Mapping[Key, Standing] | None, failure: Exception) -> None:
    """Tell those who still wait what was found of each, or, where it was not to be known, why."""
    for key, answers in round_.items():
        standing = found.get(key) if found is not None else None
        for answer in answers:
            if answer.done():
                continue
            if standing is not None:
                answer.set_result(standing)
            else:
                answer.set_exception(failure if found is None else NotLetIn())
