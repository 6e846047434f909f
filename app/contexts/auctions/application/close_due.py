"""Close auctions whose end has come, finish what a death left half done of others, and call off those of sellers who
are disabled.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from app.contexts.auctions.application.close_auction import CloseAuction
from app.contexts.auctions.application.closing_steps import BeginCancel, Begun
from app.contexts.auctions.application.open_auction import GiveUpOpening
from app.contexts.auctions.domain.auction import Auction
from app.contexts.auctions.domain.ids import AuctionId
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.kernel.refusals import Refusal
from app.platform.people import Directory
from app.platform.process.rounds import Rounds
from app.platform.process.waiting import pause


@dataclass(frozen=True, slots=True)
class CloseTerms:
    """What is due: what was begun so many seconds ago, beside auctions whose end has come.

    At most `limit` of each are taken; of what was begun before, nobody else gets it within the lease.
    """

    older_than_s: float
    lease_s: float
    limit: int


@dataclass(frozen=True, slots=True)
class DueAuctions:
    """What is due, the longest waiting first."""

    ending: Sequence[AuctionId]
    closing: Sequence[Auction]
    opening: Sequence[AuctionId]


@dataclass(frozen=True, slots=True)
class AuctionBacklog:
    """How many auctions are not over, by how many seconds the one whose end came first is past it, and how many
    closings and openings are half done, what is under way included, with the oldest one's age.
    """

    open: int
    overdue_s: float
    half_done: int
    oldest_half_done_s: float


class Calendar(Protocol):
    """What there is to be closed. Ages, ends and leases go by the database's clock. Raises Unavailable."""

    async def take(self, tenant_id: TenantId, terms: CloseTerms) -> DueAuctions:
        """What is due of the tenant's; what was begun before is leased."""
        ...

    async def sellers(self, tenant_id: TenantId) -> Collection[UserId]:
        """Whose auctions are not over."""
        ...

    async def of_sellers(self, tenant_id: TenantId, sellers: Collection[UserId], limit: int) -> Sequence[AuctionId]:
        """Up to `limit` auctions of theirs that nobody has begun to close."""
        ...

    async def backlog(self, tenants: Sequence[TenantId]) -> AuctionBacklog:
        """What there is of all of them."""
        ...


class CloseKind(StrEnum):
    """Why an auction is taken on."""

    ENDING = "ending"
    CLOSING = "closing"
    OPENING = "opening"
    SELLER = "seller"


CloseObserver = Callable[[CloseKind, object, Exception | None], None]
"""Told of each attempt: what at (its id), and what went wrong, if something did."""


class CloseDue:
    """A worker. Any number of them may run: the first to lock an auction's row closes it, and each step of that, which
    is repeatable, keeps them right when several do.
    """

    def __init__(
        self, calendar: Calendar, directory: Directory, close: CloseAuction, give_up: GiveUpOpening, *,
        terms: CloseTerms, every_s: float, observe: CloseObserver,
    ) -> None:  # fmt: skip
        self._calendar = calendar
        self._directory = directory
        self._close = close
        self._give_up = give_up
        self._terms = terms
        self._every_s = every_s
        self._observe = observe

    async def run(self, stop: asyncio.Event) -> None:
        """Close until `stop` is set; what is under way by then is finished. A database out of reach is waited for."""
        rounds = Rounds("auctions_closing")
        while not stop.is_set():
            is_all = True
            with rounds.survived():
                is_all = await self.round()
            if is_all:
                await pause(rounds.wait_s(self._every_s), stop)

    async def look_at_sellers(self, every_s: float, stop: asyncio.Event) -> None:
        """Call off auctions of sellers who are disabled until `stop` is set, with a look at all of them so often."""
        rounds = Rounds("auctions_sellers")
        while not stop.is_set():
            with rounds.survived():
                await self.round_of_sellers()
            await pause(rounds.wait_s(every_s), stop)

    async def round(self) -> bool:
        """Take what is due, tenant by tenant, and see to it; whether that was all whose end has come.

        Raises:
            Unavailable: it cannot be known now what is due.
        """
        is_all = True
        for house in await self._directory.tenants():
            due = await self._calendar.take(house.tenant_id, self._terms)
            outcomes = await asyncio.gather(*self._doing(house.tenant_id, due))
            is_all = is_all and (len(due.ending) < self._terms.limit or not any(outcomes))
        return is_all

    async def round_of_sellers(self) -> None:
        """Look whether sellers are disabled, tenant by tenant, and call off what they have.

        Raises:
            Unavailable: it cannot be known now.
        """
        for house in await self._directory.tenants():
            sellers = await self._calendar.sellers(house.tenant_id)
            gone = [UserId(id_) for id_ in await self._directory.disabled(house.tenant_id, sellers)]
            if not gone:
                continue
            theirs = await self._calendar.of_sellers(house.tenant_id, gone, self._terms.limit)
            await asyncio.gather(
                *(self._try(CloseKind.SELLER, id_, self._cancel(house.tenant_id, id_)) for id_ in theirs)
            )

    def _doing(self, tenant_id: TenantId, due: DueAuctions) -> Sequence[Coroutine[Any, Any, bool]]:
        return [
            *(self._try(CloseKind.ENDING, id_, self._close.end(tenant_id, id_)) for id_ in due.ending),
            *(self._try(CloseKind.CLOSING, each.id, self._close.finish(Begun(each))) for each in due.closing),
            *(self._try(CloseKind.OPENING, id_, self._give_up(tenant_id, id_)) for id_ in due.opening),
        ]

    async def _cancel(self, tenant_id: TenantId, auction_id: AuctionId) -> None:
        await self._close.cancel(BeginCancel(tenant_id=tenant_id, auction_id=auction_id, by=None))

    async def _try(self, kind: CloseKind, what: object, doing: Awaitable[object]) -> bool:
        """Whether it was done, and not in vain."""
        error = None
        try:
            await doing
        except Refusal:  # it has ended meanwhile
            pass
        except Exception as met:  # one's trouble must not keep the others waiting
            error = met
        self._observe(kind, what, error)
        return error is None
