"""Auctions once more, slow and obvious: every bid that counts is kept, and everything is made out of all of them, anew
each time. Of the rules nothing is shared with the domain, nor how it keeps what it needs.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass
class TakenBid:
    """A bid that counts."""

    bidder: str
    amount: int
    most: int
    at: datetime


@dataclass
class Model:
    """An auction, as the page has its rules."""

    seller: str
    starting: int
    reserve: int | None
    steps: list[tuple[int, int]]
    extend: timedelta
    starts_at: datetime
    planned_end: datetime
    bids: list[TakenBid] = field(default_factory=list)

    def bid(self, bidder: str, amount: int, most: int, at: datetime) -> str | None:
        """Why it does not count; None if it does."""
        if bidder == self.seller:
            return "OWN_AUCTION"
        if at < self.starts_at or at >= self.end():
            return "AUCTION_CLOSED"
        leads = self.leader() == bidder
        if leads and most <= self.most_of(self.bids)[bidder]:
            return "BID_TOO_LOW"
        if not leads and amount < self.minimum():
            return "BID_TOO_LOW"
        self.bids.append(TakenBid(bidder, amount, most, at))
        return None

    def end(self) -> datetime:
        """When it is over."""
        end = self.planned_end
        for bid in self.bids:
            end = max(end, bid.at + self.extend)
        return end

    def leader(self) -> str | None:
        """Whose maximum is the highest; of equal ones the earlier's."""
        return self.leader_of(self.bids)

    def price(self) -> int:
        """What the leader would pay."""
        price = self.starting
        for count in range(1, len(self.bids) + 1):
            price = self._price_behind(self.bids[:count], price)
        return price

    def minimum(self) -> int:
        """The least that a bid has to be."""
        return self.price() + self.step(self.price()) if self.bids else self.starting

    def is_reserve_met(self) -> bool:
        """Whether it would be sold."""
        leader = self.leader()
        if self.reserve is None:
            return True
        return leader is not None and self.most_of(self.bids)[leader] >= self.reserve

    def masks(self) -> list[str]:
        """Who bids, in the order of their first bids."""
        return list(dict.fromkeys(bid.bidder for bid in self.bids))

    def events(self) -> int:
        """How many there are: the opening, each bid, and each time the end was moved."""
        count, end = 1, self.planned_end
        for bid in self.bids:
            moved = max(end, bid.at + self.extend)
            count += 1 if moved == end else 2
            end = moved
        return count

    def step(self, price: int) -> int:
        """The step at a price."""
        return [step for start, step in self.steps if start <= price][-1]

    def _price_behind(self, bids: list[TakenBid], before: int) -> int:
        leader, most_of = self.leader_of(bids), self.most_of(bids)
        assert leader is not None
        others = [most for bidder, most in most_of.items() if bidder != leader]
        asked = [before, self.starting]
        if others:
            asked.append(max(others) + self.step(max(others)))
        if self.reserve is not None and most_of[leader] >= self.reserve:
            asked.append(self.reserve)
        return min(most_of[leader], max(asked))

    @staticmethod
    def most_of(bids: list[TakenBid]) -> dict[str, int]:
        """Everybody's maximum."""
        return {bidder: max(b.most for b in bids if b.bidder == bidder) for bidder in {b.bidder for b in bids}}

    @staticmethod
    def leader_of(bids: list[TakenBid]) -> str | None:
        """Who leads once these bids count."""
        highest = max((bid.most for bid in bids), default=0)
        return next((bid.bidder for bid in bids if bid.most == highest), None)
