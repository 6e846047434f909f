"""Finish what a death left half done of bids: none of them is made late."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from app.contexts.auctions.application.clean_up import CleanUp
from app.contexts.auctions.domain.intent import Intent, Return
from app.kernel.principal import TenantId
from app.platform.people import Directory
from app.platform.process.rounds import Rounds
from app.platform.process.waiting import pause


@dataclass(frozen=True, slots=True)
class Terms:
    """What is due: intents that began so many seconds ago, holds that have been for nothing for so many, and so what is
    being undone.

    At most `limit` of each are taken, and nobody else gets them within the lease.
    """

    older_than_s: float
    returns_older_than_s: float
    lease_s: float
    limit: int


@dataclass(frozen=True, slots=True)
class Due:
    """What is due, the longest waiting first."""

    intents: Sequence[Intent]
    returns: Sequence[Return]


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is half done, what is under way included: how many, and the oldest's age."""

    intents: int
    oldest_intent_s: float
    returns: int
    oldest_return_s: float


class DueBids(Protocol):
    """What nobody finished. Ages and leases go by the database's clock."""

    async def take(self, tenant_id: TenantId, terms: Terms) -> Due:
        """Lease what is due of the tenant's.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...

    async def backlog(self, tenants: Sequence[TenantId]) -> Backlog:
        """What there is of all of them.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...


class Kind(StrEnum):
    """What recovery takes over."""

    INTENT = "intent"
    RETURN = "return"


Observer = Callable[[Kind, object, Exception | None], None]
"""Told of each attempt: what at (its id), and what went wrong, if something did."""


class Recover:
    """A recovery worker. Any number of them may run: a lease keeps them from doing the same at once, and the steps,
    each of which is repeatable, keep them right when they do.
    """

    def __init__(
        self, due: DueBids, directory: Directory, clean_up: CleanUp, *, terms: Terms, every_s: float,
        observe: Observer,
    ) -> None:  # fmt: skip
        self._due = due
        self._directory = directory
        self._clean_up = clean_up
        self._terms = terms
        self._every_s = every_s
        self._observe = observe
        self._rounds = Rounds("auctions_recovery")

    async def run(self, stop: asyncio.Event) -> None:
        """Recover until `stop` is set; what is under way by then is finished. A database out of reach is waited for."""
        while not stop.is_set():
            with self._rounds.survived():
                await self.round()
            await pause(self._rounds.wait_s(self._every_s), stop)

    async def round(self) -> None:
        """Take what is due, tenant by tenant, and do it.

        Raises:
            Unavailable: it cannot be known now what is due.
        """
        for house in await self._directory.tenants():
            due = await self._due.take(house.tenant_id, self._terms)
            await asyncio.gather(*self._doing(due))

    def _doing(self, due: Due) -> Sequence[Coroutine[Any, Any, None]]:
        clean_up = self._clean_up
        return [
            *(self._try(Kind.INTENT, intent.id, clean_up.decide(intent)) for intent in due.intents),
            *(self._try(Kind.RETURN, back.hold.id, clean_up.give_back(back)) for back in due.returns),
        ]

    async def _try(self, kind: Kind, what: object, doing: Awaitable[object]) -> None:
        error = None
        try:
            await doing
        except Exception as met:  # one's trouble must not keep the others waiting
            error = met
        self._observe(kind, what, error)
