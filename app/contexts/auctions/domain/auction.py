"""An auction: one piece of a product, for whoever's maximum is the highest when it ends, at a price that others make.

Amounts are minor units; times are the database's, in UTC, read once the auction's row was locked.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from app.contexts.auctions.domain.ids import AuctionId, BidId
from app.contexts.auctions.domain.refusals import AuctionClosed, BidTooLow, OwnAuction
from app.contexts.auctions.domain.steps import Steps
from app.contexts.catalog.public import CategoryId, ProductId
from app.contexts.funds.public import HoldId
from app.contexts.ordering.public import OrderId
from app.kernel.ids import UserId
from app.kernel.money import MAX_MINOR, Currency
from app.kernel.principal import TenantId

MOST_EVENTS: Final = 2**15 - 1
"""Events are numbered so far. A bid leaves room for the one that ends its auction."""
_OF_A_BID: Final = 2
"""Events of a bid at the most: itself, and the later end."""
_OF_RAISES: Final = MOST_EVENTS // 2
"""From so many events on a leader does not raise: what costs nothing must not use up the room for others' bids."""


class Phase(StrEnum):
    """How far an auction's business is. `OPEN` is until somebody begins to close it; the last two are final."""

    OPEN = "open"
    CLOSING = "closing"
    ENDED = "ended"
    CANCELLED = "cancelled"


class Closing(StrEnum):
    """As what an auction is closed: at its end, by whoever pays the price that it has at once, or called off."""

    END = "end"
    BUY = "buy"
    CANCEL = "cancel"


class Status(StrEnum):
    """How an auction is shown."""

    SCHEDULED = "scheduled"
    LIVE = "live"
    ENDED = "ended"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """Whose maximum is the highest, or was there first of several that are equal."""

    user_id: UserId
    ordinal: int
    """Who it is, to others."""
    bid_id: BidId
    """The bid by which the maximum is what it is."""
    max_minor: int
    hold_id: HoldId
    """Open, and of the maximum at the least."""
    raising: BidId | None = None
    """The raise that the hold is being made larger for. There is one at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A bid as it is made: its maximum is held. `ordinal` is the bidder's, who has bid before, or None."""

    id: BidId
    bidder: UserId
    ordinal: int | None
    amount_minor: int
    max_minor: int
    hold_id: HoldId


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """A bid that counts; price, end and lead are as they were behind it."""

    id: BidId
    sequence: int
    bidder: UserId
    ordinal: int
    amount_minor: int
    max_minor: int
    hold_id: HoldId
    price_minor: int
    ends_at: datetime
    is_leading: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Placed:
    """What becomes of an auction by a bid, and whether that moved its end."""

    auction: "Auction"
    bid: Bid
    is_extended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Auction:
    """An auction. From `seller_id` to `planned_end` it is as it was opened. `price` is the starting price before there
    is a bid. What bids made of it stays, whatever it is closed as: what it was sold for is beside that.
    """

    id: AuctionId
    tenant_id: TenantId
    seller_id: UserId
    product_id: ProductId
    title: str
    category_id: CategoryId | None
    currency: Currency
    starting_price_minor: int
    reserve_price_minor: int | None
    buy_now_price_minor: int | None
    steps: Steps
    extend: timedelta
    starts_at: datetime
    planned_end: datetime
    ends_at: datetime
    price_minor: int
    created_at: datetime
    updated_at: datetime
    last_event_id: int
    phase: Phase = Phase.OPEN
    second_max_minor: int | None = None
    """The highest maximum of all who bid, but for the leader."""
    bid_count: int = 0
    bidder_count: int = 0
    leader: Leader | None = None
    closing: Closing | None = None
    closing_by: UserId | None = None
    closing_at: datetime | None = None
    winner_id: UserId | None = None
    winner_hold_id: HoldId | None = None
    sold_price_minor: int | None = None
    buyer_key: str | None = None  # that a purchase's answer is stored under, once there is an order
    order_id: OrderId | None = None
    closed_at: datetime | None = None

    @property
    def current_price_minor(self) -> int:
        """What it is sold for, or would be if it ended now and the reserve were met."""
        return self.price_minor if self.sold_price_minor is None else self.sold_price_minor

    @property
    def minimum_bid_minor(self) -> int:
        """The least that another's bid has to be."""
        if self.leader is None:
            return self.starting_price_minor
        return min(MAX_MINOR, self.price_minor + self.steps.at(self.price_minor))

    @property
    def is_reserve_met(self) -> bool:
        """Whether it would be sold."""
        reserve = self.reserve_price_minor
        return reserve is None or (self.leader is not None and self.leader.max_minor >= reserve)

    def status(self, now: datetime) -> Status:
        """How it is shown: live until it is decided what came of it."""
        if self.phase in (Phase.ENDED, Phase.CANCELLED):
            return Status(self.phase.value)
        return Status.SCHEDULED if now < self.starts_at else Status.LIVE

    @property
    def shown_leader(self) -> Leader | None:
        """Who leads, as long as that means something: nobody leads what was bought at once or called off."""
        return None if self.closed_at is not None and self.closing is not Closing.END else self.leader

    def is_leading(self, user_id: UserId) -> bool:
        """Whether the user leads."""
        return self.leader is not None and self.leader.user_id == user_id

    def see_that_it_takes(self, bidder: UserId, amount_minor: int, max_minor: int, now: datetime) -> None:
        """See whether the bid would count now.

        Raises:
            OwnAuction, AuctionClosed, BidTooLow: it would not, and the first of these is why.
        """
        if bidder == self.seller_id:
            raise OwnAuction
        is_raise = self.is_leading(bidder)
        room = _OF_RAISES if is_raise else MOST_EVENTS - 1
        is_on = self.phase is Phase.OPEN and self.starts_at <= now < self.ends_at
        if not is_on or self.last_event_id + _OF_A_BID > room:
            raise AuctionClosed(self.status(now).value)
        if is_raise:
            assert self.leader is not None, "whoever raises leads"
            is_enough = max_minor > self.leader.max_minor
        else:
            is_enough = amount_minor >= self.minimum_bid_minor
        if not is_enough:
            raise BidTooLow(self.minimum_bid_minor)

    def place(self, offer: Offer, now: datetime) -> Placed:
        """What the bid makes of the auction.

        Raises:
            OwnAuction, AuctionClosed, BidTooLow: it does not count, and the first of these is why.
        """
        self.see_that_it_takes(offer.bidder, offer.amount_minor, offer.max_minor, now)
        ordinal = offer.ordinal or self.bidder_count + 1
        leader, second_minor = self._led_with(offer, ordinal)
        is_extended = self.ends_at - now < self.extend
        after = replace(
            self, leader=leader, second_max_minor=second_minor,
            price_minor=self._price_minor(leader.max_minor, second_minor),
            ends_at=now + self.extend if is_extended else self.ends_at, bid_count=self.bid_count + 1,
            bidder_count=max(ordinal, self.bidder_count), last_event_id=self.last_event_id + 1 + is_extended,
            updated_at=now,
        )  # fmt: skip
        bid = Bid(
            id=offer.id, sequence=after.bid_count, bidder=offer.bidder, ordinal=ordinal,
            amount_minor=offer.amount_minor, max_minor=offer.max_minor, hold_id=offer.hold_id,
            price_minor=after.price_minor, ends_at=after.ends_at, is_leading=after.is_leading(offer.bidder),
            created_at=now,
        )  # fmt: skip
        return Placed(after, bid, is_extended)

    def _led_with(self, offer: Offer, ordinal: int) -> tuple[Leader, int | None]:
        """Who leads once the bid counts, and the highest maximum of the others."""
        before, second = self.leader, self.second_max_minor
        leads = before is None or before.user_id == offer.bidder or offer.max_minor > before.max_minor
        if not leads:
            assert before is not None, "without a leader everybody leads"
            return before, max(offer.max_minor, second or 0)
        if before is not None and before.user_id != offer.bidder:
            second = before.max_minor
        leader = Leader(
            user_id=offer.bidder, ordinal=ordinal, bid_id=offer.id, max_minor=offer.max_minor, hold_id=offer.hold_id
        )
        return leader, second

    def _price_minor(self, max_minor: int, second_minor: int | None) -> int:
        """The price that a leader with this maximum pays, who never pays more than that."""
        asked = self.price_minor
        if second_minor is not None:
            asked = max(asked, second_minor + self.steps.at(second_minor))
        if self.reserve_price_minor is not None and max_minor >= self.reserve_price_minor:
            asked = max(asked, self.reserve_price_minor)
        return min(max_minor, asked)
