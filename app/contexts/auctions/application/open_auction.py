"""Open an auction: the intent, committed; a piece reserved, with nothing held open; the auction, committed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.contexts.auctions.application.browse import Seen
from app.contexts.auctions.application.close_auction import reservation_of
from app.contexts.auctions.domain.auction import Auction
from app.contexts.auctions.domain.ids import AuctionId
from app.contexts.auctions.domain.opening import House, Piece, Terms, Times, opened
from app.contexts.auctions.domain.refusals import ProductNotFound, Unfit
from app.contexts.catalog.public import Line, Offers, OutOfStock, Reserved, ReservedLine, Stock
from app.kernel.errors import Unavailable
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.kernel.new_ids import Ids
from app.kernel.principal import Principal, TenantId

Opened = Callable[[datetime], Auction]
"""The auction, as it is at the database's time."""


class Openings(Protocol):
    """Auctions that are being opened, each there before its piece is reserved. After Unavailable, which every call may
    raise, nobody knows whether it happened.
    """

    async def begin(self, tenant_id: TenantId, auction_id: AuctionId, times: Callable[[datetime], Times]) -> Times:
        """It is being opened from here on, unless `times` refuses."""
        ...

    async def open(
        self, tenant_id: TenantId, auction_id: AuctionId, make: Opened, traceparent: str | None
    ) -> Seen | None:
        """It is open from here on; None where somebody has given it up meanwhile."""
        ...

    async def give_up(self, tenant_id: TenantId, auction_id: AuctionId) -> bool:
        """Nothing comes of it, from here on for sure; whether it was still being opened. The same again is the same."""
        ...

    async def end(self, tenant_id: TenantId, auction_id: AuctionId) -> None:
        """Nothing is reserved for it, and never will be."""
        ...


class GiveUpOpening:
    """Takes over an opening that somebody else began: what is reserved for it goes back. Each step is repeatable."""

    def __init__(self, openings: Openings, stock: Stock) -> None:
        self._openings = openings
        self._stock = stock

    async def __call__(self, tenant_id: TenantId, auction_id: AuctionId) -> None:
        """Give it up, unless it is open by now.

        Raises:
            Unavailable: nobody knows what became of it; recovery goes on.
        """
        if not await self._openings.give_up(tenant_id, auction_id):
            return
        reservation = reservation_of(auction_id)
        if isinstance(await self._stock.forbid(tenant_id, reservation), Reserved):
            await self._stock.give_back(tenant_id, reservation)
        await self._openings.end(tenant_id, auction_id)


@dataclass(frozen=True, slots=True)
class OpenAuction:
    """Opens auctions of one piece of what somebody sells."""

    openings: Openings
    offers: Offers
    stock: Stock
    give_up: GiveUpOpening
    house: Callable[[Currency], House]
    ids: Ids

    async def __call__(self, asker: Principal, terms: Terms, traceparent: str | None) -> Seen:
        """Open one.

        Raises:
            ProductNotFound: there is no such product, or it is another's.
            Unfit: it does not go with the product, or with the time.
            OutOfStock: no piece is free.
            Unavailable: nobody knows what became of it. What is reserved for nothing goes back by itself.
        """
        tenant_id, seller = asker.tenant_id, UserId(asker.id)
        offer = (await self.offers.offers(tenant_id, [terms.product_id])).get(terms.product_id)
        if offer is None or offer.seller_id != seller:
            raise ProductNotFound
        if offer.currency != terms.currency:
            raise _wrong_currency()
        auction_id = AuctionId(self.ids())
        times = await self.openings.begin(tenant_id, auction_id, terms.times)
        line = await self._reserved(tenant_id, auction_id, terms)
        piece = Piece(seller_id=seller, title=line.title, category_id=offer.category_id)
        house = self.house(terms.currency)

        def make(now: datetime) -> Auction:
            return opened(auction_id, tenant_id, terms, times, piece, house, now)

        seen = await self.openings.open(tenant_id, auction_id, make, traceparent)
        if seen is None:
            raise Unavailable("it took so long that it was given up")
        return seen

    async def _reserved(self, tenant_id: TenantId, auction_id: AuctionId, terms: Terms) -> ReservedLine:
        wanted = [Line(terms.product_id, 1)]
        reserved = await self.stock.reserve(reservation_of(auction_id), tenant_id, None, wanted, pinned=True)
        if isinstance(reserved, OutOfStock):
            await self.openings.end(tenant_id, auction_id)
            raise reserved
        if not isinstance(reserved, Reserved):
            raise Unavailable("it took so long that it was given up")
        (line,) = reserved.lines
        if line.currency != terms.currency:  # its seller has changed that meanwhile
            await self.give_up(tenant_id, auction_id)
            raise _wrong_currency()
        return line


def _wrong_currency() -> Unfit:
    return Unfit("currency", "must be the product's")
