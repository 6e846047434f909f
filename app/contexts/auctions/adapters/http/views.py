"""Auctions and bids as JSON."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from app.contexts.auctions.domain.auction import Auction
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


def mask(ordinal: int) -> str:
    """Who bids, to others."""
    return f"b****{ordinal}"


def auction_view(auction: Auction, now: datetime) -> AuctionView:
    """The auction as everybody may see it at that time."""
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
        leader=mask(auction.leader.ordinal) if auction.leader else None,
        status=auction.status(now).value,
        starts_at=timestamp(auction.starts_at),
        ends_at=timestamp(auction.ends_at),
        version=auction.last_event_id,
        order_id=auction.order_id,
    )
