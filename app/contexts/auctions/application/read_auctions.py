"""Read auctions: one, or a page of those that are looked for; and what was bid in one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from app.contexts.auctions.application.browse import Listings, Place, Seen, Sort, Wanted
from app.contexts.auctions.domain.auction import Bid
from app.contexts.auctions.domain.ids import AuctionId
from app.contexts.auctions.domain.refusals import AuctionNotFound
from app.contexts.catalog.public import Categories
from app.kernel.principal import TenantId


class AuctionPage(NamedTuple):
    """Auctions, and where the next page begins, if there is one."""

    auctions: Sequence[Seen]
    next: Place | None


class BidPage(NamedTuple):
    """Bids, newest first, and the one behind which the next page begins, if there is one."""

    bids: Sequence[Bid]
    next: Bid | None


@dataclass(frozen=True, slots=True)
class ReadAuctions:
    """Reads them for anybody."""

    listings: Listings
    categories: Categories

    async def one(self, tenant_id: TenantId, auction_id: AuctionId) -> Seen:
        """The auction with that id.

        Raises:
            AuctionNotFound: the tenant has none.
            Unavailable: it cannot be known now.
        """
        seen = await self.listings.one(tenant_id, auction_id)
        if seen is None:
            raise AuctionNotFound
        return seen

    async def page(self, tenant_id: TenantId, wanted: Wanted, category: str | None) -> AuctionPage:
        """The page; of the auctions of products in the category with this slug and in those below it, if one is named.

        Raises:
            Unavailable: it cannot be known now.
        """
        if category is not None:
            below = await self.categories.below(tenant_id, category)
            if not below:
                return AuctionPage((), None)
            wanted = replace(wanted, filters=replace(wanted.filters, categories=tuple(below)))
        return page_of(await self.listings.page(tenant_id, wanted), wanted)

    async def bids(self, tenant_id: TenantId, auction_id: AuctionId, before: int | None, limit: int) -> BidPage:
        """A page of what was bid in an auction, before that sequence, if there is one.

        Raises:
            AuctionNotFound: the tenant has none with that id.
            Unavailable: it cannot be known now.
        """
        found = await self.listings.bids(tenant_id, auction_id, before, limit + 1)
        if found is None:
            raise AuctionNotFound
        more = len(found) > limit
        return BidPage(found[:limit], found[limit - 1] if more else None)


def page_of(found: Sequence[Seen], wanted: Wanted) -> AuctionPage:
    """The page of auctions that were looked for, one more than there may be on it."""
    if len(found) <= wanted.limit:
        return AuctionPage(found, None)
    last = found[wanted.limit - 1].auction
    at = last.ends_at if wanted.sort is Sort.ENDING else last.created_at
    return AuctionPage(found[: wanted.limit], Place(at, last.id))
