"""An auction's story on one time line: its bids, its closing, its stock, the holds that it is about, its events."""

from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.contexts.auctions.application.close_auction import reservation_of
from app.contexts.auctions.application.story_records import BookedAuction, StoryRecords
from app.contexts.auctions.domain.auction import Auction, Bid, Closing, Phase
from app.contexts.auctions.domain.ids import AuctionId
from app.contexts.catalog.public import StockStories
from app.contexts.funds.public import HoldStories
from app.kernel.errors import Unavailable
from app.kernel.moments import Moment
from app.kernel.principal import TenantId
from app.platform.operations.trail import Told, Trail, gaps, in_order, of_the_outbox, of_the_trail

MOST: Final = 100
"""Bids and events that are told of: the newest."""
LATE_S: Final = 10.0
"""What recovery has not taken so long after it was due has its reason told."""

_BEGUN: Final = {
    Closing.END: "its end had come: who has it is decided",
    Closing.BUY: "bought at once: who has it is decided",
    Closing.CANCEL: "to be called off",
}


class AuctionUnknown(Exception):  # noqa: N818 -- it says what is not there
    """The tenant has no such auction."""


@dataclass(frozen=True, slots=True)
class AuctionStory:
    """An auction, its moments (oldest first), what will come next, and what could not be looked at."""

    auction: Auction
    moments: Sequence[Moment]
    next: str | None
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class TellAuction:
    """Tells them. What of it another context or the audit trail cannot tell now is left out, with a note."""

    records: StoryRecords
    stock: StockStories
    holds: HoldStories
    trail: Trail
    recover_after_s: float

    async def __call__(self, tenant_id: TenantId, auction_id: AuctionId) -> AuctionStory:
        """The auction's story.

        Raises:
            AuctionUnknown: the tenant has none with that id.
            Unavailable: the auctions are out of reach.
        """
        booked = await self.records.auction(tenant_id, auction_id, MOST)
        if booked is None:
            raise AuctionUnknown(f"there is no auction {auction_id}")
        auction, notes = booked.auction, list[str]()
        moments = [*_of_the_auction(auction), *map(_of_a_bid, booked.bids)]
        reserved = self.stock.moments_of(tenant_id, reservation_of(auction.id), [auction.product_id])
        moments += await _looked_at("the stock", reserved, notes)
        hold_id = auction.winner_hold_id or (auction.leader.hold_id if auction.leader else None)
        if hold_id is not None:
            moments += await _looked_at("the hold", self.holds.moments_of(hold_id), notes)
        moments += await self._of_events(booked, notes)
        if auction.bid_count > len(booked.bids):
            notes.append(f"of {auction.bid_count} bids the newest {len(booked.bids)} are shown")
        notes += _under_way(booked)
        return AuctionStory(auction, in_order(moments), self._next(booked), notes)

    async def _of_events(self, booked: BookedAuction, notes: list[str]) -> list[Moment]:
        told, looked = Told((), ()), True
        try:
            told = await self.trail.told(booked.auction.id, [event.event_id for event in booked.events])
        except Unavailable as error:
            notes.append(f"the audit trail is not shown: {error}")
            looked = False
        notes += gaps(booked.events, told, looked)
        return [*of_the_outbox(booked.events), *of_the_trail(told)]

    def _next(self, booked: BookedAuction) -> str | None:
        auction, now = booked.auction, booked.now
        if auction.phase is Phase.CLOSING and auction.closing_at is not None:
            left_s = self.recover_after_s - (now - auction.closing_at).total_seconds()
            return f"its closing goes on; recovery ends it {_in(left_s)}"
        if auction.phase is not Phase.OPEN:
            return None
        if auction.starts_at > now:
            return f"it begins on {auction.starts_at:%Y-%m-%d %H:%M:%S} UTC"
        left_s = (auction.ends_at - now).total_seconds()
        if left_s <= 0:
            return f"its end has come: recovery closes it {_in(left_s)}"
        return f"it ends on {auction.ends_at:%Y-%m-%d %H:%M:%S} UTC, unless a bid moves that"


def _in(left_s: float) -> str:
    if left_s > 0:
        return f"in {left_s:.0f} s"
    return f"(due for {-left_s:.0f} s{': does `strongbox recover` run?' if left_s < -LATE_S else ''})"


def _of_the_auction(auction: Auction) -> Iterator[Moment]:
    asked = {
        "starting_price": auction.starting_price_minor,
        "reserve_price": auction.reserve_price_minor,
        "buy_now_price": auction.buy_now_price_minor,
        "currency": auction.currency,
    }
    yield Moment(auction.created_at, "auction", f"opened until {auction.planned_end:%Y-%m-%d %H:%M:%S} UTC", asked)
    if auction.closing is not None and auction.closing_at is not None:
        decided = {
            "by": auction.closing_by and str(auction.closing_by),
            "winner_id": auction.winner_id and str(auction.winner_id),
            "price": auction.sold_price_minor,
        }
        yield Moment(auction.closing_at, "auction", _BEGUN[auction.closing], decided)
    if auction.closed_at is not None:
        what = "cancelled" if auction.phase is Phase.CANCELLED else "ended"
        with_what = {"order_id": auction.order_id and str(auction.order_id)}
        yield Moment(auction.closed_at, "auction", f"{what}: money and stock are where they belong", with_what)


def _of_a_bid(bid: Bid) -> Moment:
    leads = "and leads" if bid.is_leading else "and does not lead"
    what = f"bid {bid.sequence}: {bid.amount_minor}, {leads}; the price is {bid.price_minor}"
    details = {"bid_id": str(bid.id), "bidder": str(bid.bidder), "hold_id": str(bid.hold_id)}
    return Moment(bid.created_at, "bid", what, details)


def _under_way(booked: BookedAuction) -> Iterator[str]:
    for intent in booked.intents:
        since_s = (booked.now - intent.created_at).total_seconds()
        yield f"{intent.kind} {intent.id} of user {intent.bidder} is under way for {since_s:.0f} s"
    for back in booked.returns:
        yield f"hold {back.hold.id} of user {back.hold.owner} is to be released"


async def _looked_at(what: str, looking: Awaitable[Sequence[Moment]], notes: list[str]) -> Sequence[Moment]:
    try:
        return await looking
    except Unavailable as error:
        notes.append(f"{what} is not shown: {error}")
        return ()
