"""What of auctions is looked for, and how it is found."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from app.contexts.auctions.domain.auction import Auction, Bid, Status
from app.contexts.auctions.domain.ids import AuctionId
from app.contexts.catalog.public import CategoryId
from app.kernel.ids import UserId
from app.kernel.principal import TenantId


class Sort(StrEnum):
    """In which order auctions are listed: by when they end, the next one first; or the newest first."""

    ENDING = "ending"
    NEWEST = "newest"


class Place(NamedTuple):
    """Where a page of auctions begins: behind the one that ends then, or was opened then, and has that id."""

    at: datetime
    id: AuctionId


@dataclass(frozen=True, slots=True)
class Filters:
    """Which auctions are listed: those of which all that is said holds. Of categories, those of one of them."""

    status: Status | None = None
    seller: UserId | None = None
    categories: tuple[CategoryId, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A page of auctions that is asked for."""

    filters: Filters = field(default_factory=Filters)
    sort: Sort = Sort.ENDING
    after: Place | None = None
    limit: int


class Seen(NamedTuple):
    """An auction, and when it was looked at, by the database's clock."""

    auction: Auction
    at: datetime


class Listings(Protocol):
    """Auctions and bids, as they are read. Everything raises Unavailable where it cannot be told now."""

    async def one(self, tenant_id: TenantId, auction_id: AuctionId) -> Seen | None:
        """The tenant's auction with that id."""
        ...

    async def page(self, tenant_id: TenantId, wanted: Wanted) -> Sequence[Seen]:
        """What the page has, and one more, if there is one."""
        ...

    async def bids(
        self, tenant_id: TenantId, auction_id: AuctionId, before: int | None, limit: int
    ) -> Sequence[Bid] | None:
        """Up to `limit` bids of the auction, newest first: those before that sequence, if there is one. None where
        there is no such auction.
        """
        ...
