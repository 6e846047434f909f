"""Auctions and bids as JSON."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, structs

from app.contexts.auctions.application.browse import Seen
from app.contexts.auctions.domain.auction import Auction, Bid
from app.kernel.ids import UserId
from app.platform.http.shapes import Amount, Code, Time, timestamp

Mask = Annotated[str, Meta(description="A bidder, by the order of their first bids: b****1 was the first.")]
Count = Annotated[int, Meta(ge=0)]


class AuctionView(Struct, frozen=True, kw_only=True):
    """An auction as everybody may see it: nobody's maximum, and no reserve, but whether it is met."""

    auction_id: UUID
    product_id: UUID
    seller_id: UUID
    currency: Code
    starting_price: Amount
    buy_now_price: Amount | None
    reserve_met: bool
    current_price: Amount
    minimum_bid: Amount
    bid_count: Count
    leader: Mask | None
    status: Literal["scheduled", "live", "ended", "cancelled"]
    starts_at: Time
    ends_at: Time
    version: Count
    order_id: UUID | None


class ShownAuctionView(AuctionView, frozen=True, kw_only=True):
    """An auction as whoever asks sees it."""

    leading: Annotated[bool, Meta(description="Whether whoever asks leads.")]
    reserve_price: Annotated[Amount | UnsetType | None, Meta(description="For its seller alone.")] = UNSET


class AuctionEventView(Struct, frozen=True, kw_only=True):
    """An event of those that are sent while an auction is watched, by the names that it has on the wire."""

    id: Annotated[str, Meta(pattern="^[1-9][0-9]*$", description="What `Last-Event-ID` goes on behind.")]
    event: Literal["state", "bid", "extended", "ended", "cancelled"]
    data: Annotated[
        str,
        Meta(
            description="The auction as it stands from then on, as JSON; `leading` is told in `state` alone.",
            extra_json_schema={"contentMediaType": "application/json"},
        ),
    ]


class AuctionsView(Struct, frozen=True):
    """A page of auctions. `next_cursor` asks for the next page."""

    auctions: list[ShownAuctionView]
    next_cursor: str | None


class ListedBidView(Struct, frozen=True):
    """A bid. The price is what it made of it."""

    sequence: Annotated[int, Meta(ge=1)]
    bidder: Mask
    amount: Amount
    current_price: Amount
    created_at: Time


class BidsView(Struct, frozen=True):
    """A page of bids, newest first. `next_cursor` asks for the next page."""

    bids: list[ListedBidView]
    next_cursor: str | None


class BoughtView(Struct, frozen=True):
    """What became of a purchase."""

    order: Annotated[Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/OrderView"})]


def mask(ordinal: int) -> str:
    """Who bids, to others."""
    return f"b****{ordinal}"


def auction_view(auction: Auction, now: datetime) -> AuctionView:
    """The auction as everybody may see it at that time."""
    leader = auction.shown_leader
    return AuctionView(
        auction_id=auction.id,
        product_id=auction.product_id,
        seller_id=auction.seller_id,
        currency=auction.currency,
        starting_price=auction.starting_price_minor,
        buy_now_price=auction.buy_now_price_minor,
        reserve_met=auction.is_reserve_met,
        current_price=auction.current_price_minor,
        minimum_bid=auction.minimum_bid_minor,
        bid_count=auction.bid_count,
        leader=mask(leader.ordinal) if leader else None,
        status=auction.status(now).value,
        starts_at=timestamp(auction.starts_at),
        ends_at=timestamp(auction.ends_at),
        version=auction.last_event_id,
        order_id=auction.order_id,
    )


def shown_auction(seen: Seen, asker: UserId | None) -> ShownAuctionView:
    """The auction as that user sees it, or, with nobody, as somebody whom nobody knows."""
    auction, leader = seen.auction, seen.auction.shown_leader
    return ShownAuctionView(
        **structs.asdict(auction_view(auction, seen.at)),
        leading=leader is not None and leader.user_id == asker,
        reserve_price=auction.reserve_price_minor if asker == auction.seller_id else UNSET,
    )


def bid_view(bid: Bid) -> ListedBidView:
    """The bid as everybody may see it."""
    return ListedBidView(bid.sequence, mask(bid.ordinal), bid.amount_minor, bid.price_minor, timestamp(bid.created_at))
