"""Auctions, compared with what their bids make of them when they are played again."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.contexts.auctions.adapters.postgres.auction_rows import auction_of
from app.contexts.auctions.adapters.postgres.bid_rows import BID_COLUMNS, bid_of
from app.contexts.auctions.adapters.postgres.invariants import PLAYED
from app.contexts.auctions.domain.auction import Auction, Bid, Closing, Offer, Phase
from app.contexts.auctions.domain.refusals import AuctionClosed, BidTooLow, OwnAuction
from app.kernel.ids import UserId
from app.platform.postgres.facts import Facts, rows_of
from app.platform.postgres.inspection import Session

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
            async for row in rows_of(self.books, tenant, PLAYED):
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
        if _had_by(self.stored) != _due_to(self._auction, self.stored):
            wrong.append("who has it")
        return [f"auction {self.stored.id} is not what its bids make of it: {', '.join(wrong)}"] if wrong else []


_COMPARED: Final[dict[str, Callable[[Auction], object]]] = {
    "the price": lambda a: a.price_minor,
    "the end": lambda a: a.ends_at,
    "the second maximum": lambda a: a.second_max_minor,
    "the bids": lambda a: a.bid_count,
    "the bidders": lambda a: a.bidder_count,
    "the events": lambda a: a.last_event_id,
    "the leader": lambda a: a.leader and replace(a.leader, raising=None),
}


def _had_by(auction: Auction) -> tuple[object, ...]:
    return auction.winner_id, auction.winner_hold_id, auction.sold_price_minor


def _due_to(played: Auction, stored: Auction) -> tuple[object, ...]:
    """Who has to have it, by which hold and at which price, as it was closed."""
    if stored.closing is Closing.BUY and stored.winner_id is not None:
        return stored.winner_id, stored.winner_hold_id, stored.buy_now_price_minor
    leader = played.leader
    if stored.closing is not Closing.END or leader is None or not played.is_reserve_met:
        return None, None, None
    return leader.user_id, leader.hold_id, played.price_minor
