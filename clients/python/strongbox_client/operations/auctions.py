"""Auctions."""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Struct

from strongbox_client.operation import Resource, W, listing, operation, stream
from strongbox_client.operations.orders import Order
from strongbox_client.signature import Key, Place
from strongbox_client.values import UNSET, UnsetType, Vocabulary

LAST_EVENT_ID: Final = "Last-Event-ID"
AuctionStatus = Literal["scheduled", "live", "ended", "cancelled"]


class AuctionView(Struct, frozen=True, kw_only=True):
    """An auction as everybody may see it. `leader` is masked, nobody's maximum is told."""

    auction_id: UUID
    product_id: UUID
    seller_id: UUID
    currency: str
    starting_price: int
    buy_now_price: int | None
    reserve_met: bool
    current_price: int
    minimum_bid: int
    bid_count: int
    leader: str | None
    status: AuctionStatus
    starts_at: datetime
    ends_at: datetime
    version: int
    order_id: UUID | None


class Auction(AuctionView, frozen=True, kw_only=True):
    """An auction as oneself sees it: whether one is `leading`, and to its seller the reserve price."""

    leading: bool
    reserve_price: int | UnsetType | None = UNSET


class Bid(Struct, frozen=True):
    """A bid of one's own, and where the auction is by it."""

    bid_id: UUID
    sequence: int
    amount: int
    leading: bool
    current_price: int
    minimum_bid: int
    ends_at: datetime


class BidLine(Struct, frozen=True):
    """A bid as everybody sees it."""

    sequence: int
    bidder: str
    amount: int
    current_price: int
    created_at: datetime


class LiveKind(Vocabulary):
    """What happened; `state` is where an auction is when one begins to watch."""

    STATE = "state"
    BID = "bid"
    EXTENDED = "extended"
    ENDED = "ended"
    CANCELLED = "cancelled"


class LiveEvent(Struct, frozen=True):
    """Something that happened to an auction, and the auction from then on. `id` counts all that happened."""

    id: int
    type: LiveKind
    data: AuctionView


class Auctions(Resource[W]):
    """Auctions: everybody looks on."""

    @operation("POST", "/v1/auctions")
    def add(
        self,
        *,
        product_id: UUID | str,
        starting_price: int,
        currency: str,
        ends_at: datetime,
        reserve_price: int | None = None,
        buy_now_price: int | None = None,
        starts_at: datetime | None = None,
    ) -> Auction:
        """Put a piece of one's product up.

        Raises:
            OutOfStock: none is free.
        """

    @listing("/v1/auctions", "auctions")
    def list(
        self,
        *,
        status: AuctionStatus | None = None,
        category: str | None = None,
        seller: UUID | str | None = None,
        sort: Literal["ending", "newest"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Auction:
        """Those that fit, the next to end first."""

    @operation("GET", "/v1/auctions/{auction_id}")
    def get(self, auction_id: UUID | str) -> Auction:
        """One of them."""

    @operation("POST", "/v1/auctions/{auction_id}/bids")
    def bid(self, auction_id: UUID | str, *, amount: int, max_amount: int | None = None, key: Key = None) -> Bid:
        """Bid, once; up to `max_amount` the service goes on for one.

        Raises:
            AuctionClosed, BidTooLow, InsufficientFunds, OwnAuction: it does not count.
        """

    @operation("POST", "/v1/auctions/{auction_id}/buy", "order")
    def buy(self, auction_id: UUID | str, *, key: Key = None) -> Order:
        """Buy it at its price for that, which ends the auction.

        Raises:
            BuyNowGone: somebody bids as much, or it never had one.
        """

    @operation("POST", "/v1/auctions/{auction_id}/cancel", repeats=True)
    def cancel(self, auction_id: UUID | str) -> Auction:
        """End it without a winner.

        Raises:
            AuctionHasBids: only an admin can.
        """

    @listing("/v1/auctions/{auction_id}/bids", "bids")
    def bids(self, auction_id: UUID | str, *, limit: int | None = None, cursor: str | None = None) -> BidLine:
        """All bids, the newest first."""

    @stream("/v1/auctions/{auction_id}/live")
    def live(
        self, auction_id: UUID | str, *, after: Annotated[int | None, Place("header", LAST_EVENT_ID)] = None
    ) -> LiveEvent:
        """What happens to it, as it happens: first where it is, or all `after` an event that one had. It ends with the
        auction; connections that end meanwhile are made anew, and no event is told twice."""
