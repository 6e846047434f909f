"""Auctions, compared with what their bids make of them when they are played again."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.contexts.auctions.adapters.postgres.auction_rows import AUCTION_COLUMNS, auction_of
from app.contexts.auctions.adapters.postgres.bid_rows import BID_COLUMNS, bid_of
from app.contexts.auctions.domain.auction import Auction, Bid, Offer, Phase
from app.contexts.auctions.domain.refusals import AuctionClosed, BidTooLow, OwnAuction
from app.kernel.ids import UserId
from app.platform.postgres.facts import Facts, rows_of
from app.platform.postgres.inspection import Session

# Bid by bid, in one stream: of two, over one snapshot, there can only be one at a time.
_PLAYED: Final = f"""
    SELECT {BID_COLUMNS}, {AUCTION_COLUMNS}
    FROM auctions.auctions a
    LEFT JOIN auctions.bids b ON b.bucket = a.bucket AND b.auction_id = a.id
    ORDER BY a.bucket, a.id, b.sequence
"""
_OF_A_BID: Final = BID_COLUMNS.count(",") + 1


@dataclass(frozen=True, slots=True)
class BidsMakeTheirAuctions:
    """All auctions with all their bids, one after the other."""

    books: Session
    facts: Facts
    name: str = "bids_make_their_auctions"
    claim: str = "the bids of an auction, played again by the rules, give exactly what is stored of it and of them"

    async def offenders(self) -> AsyncIterator[str]:
        """Bids and auctions that are not as they would be."""
        for tenant in await self.facts.tenants():
            replay: Replay | None = None
            async for row in rows_of(self.books, tenant, _PLAYED):
                auction = auction_of(row[_OF_A_BID:])
                if replay is None or replay.stored.id != auction.id:
                    for line in replay.offences() if replay else ():
                        yield line
                    replay = Replay(auction)
                if row[0] is not None:
                    replay.play(bid_of(row[:_OF_A_BID]))
            for line in replay.offences() if replay else ():
                yield line


class Replay:
    """One auction, from its beginning."""

    def __init__(self, stored: Auction) -> None:
        self.stored = stored
        self._auction = replace(
            stored,
            ends_at=stored.planned_end,
            phase=Phase.OPEN,
            price_minor=stored.starting_price_minor,
            second_max_minor=None,
            bid_count=0,
            bidder_count=0,
            last_event_id=1,
            leader=None,
        )
        self._ordinals: dict[UserId, int] = {}
        self._offence: str | None = None

    def play(self, stored: Bid) -> None:
        """The next bid. Behind the first that is wrong nothing can be right."""
        if self._offence is not None:
            return
        offer = Offer(
            id=stored.id,
            bidder=stored.bidder,
            ordinal=self._ordinals.get(stored.bidder),
            amount_minor=stored.amount_minor,
            max_minor=stored.max_minor,
            hold_id=stored.hold_id,
        )
        try:
            placed = self._auction.place(offer, stored.created_at)
        except (OwnAuction, AuctionClosed, BidTooLow) as refusal:
            self._offence = f"bid {stored.sequence} of auction {self.stored.id} would not count: {refusal}"
            return
        if placed.bid != stored:
            self._offence = f"bid {stored.sequence} of auction {self.stored.id} is not what the rules make of it"
            return
        self._auction = placed.auction
        self._ordinals[stored.bidder] = placed.bid.ordinal

    def offences(self) -> Sequence[str]:
        """What is wrong with it."""
        if self._offence is not None:
            return [self._offence]
        is_over = self.stored.phase in (Phase.ENDED, Phase.CANCELLED)
        played = replace(self._auction, last_event_id=self._auction.last_event_id + is_over)
        wrong = [name for name, of in _COMPARED.items() if of(played) != of(self.stored)]
        return [f"auction {self.stored.id} is not what its bids make of it: {', '.join(wrong)}"] if wrong else []


_COMPARED: Final = {
    "the price": lambda a: a.price_minor,
    "the end": lambda a: a.ends_at,
    "the second maximum": lambda a: a.second_max_minor,
    "the bids": lambda a: a.bid_count,
    "the bidders": lambda a: a.bidder_count,
    "the events": lambda a: a.last_event_id,
    "the leader": lambda a: a.leader and replace(a.leader, raising=None),
}
