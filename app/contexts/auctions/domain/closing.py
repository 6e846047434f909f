"""How an auction is closed: at its end, by a purchase, or called off. The first to begin decides what comes of it; the
rest is done by whoever comes by.
"""

from dataclasses import replace
from datetime import datetime

from app.contexts.auctions.domain.auction import Auction, Closing, Phase
from app.contexts.auctions.domain.refusals import AuctionClosed, AuctionHasBids, BuyNowGone, OwnAuction
from app.contexts.funds.public import HoldId
from app.contexts.ordering.public import OrderId
from app.kernel.ids import UserId


def is_due(auction: Auction, now: datetime) -> bool:
    """Whether its end has come, and nobody has begun to close it."""
    return auction.phase is Phase.OPEN and auction.ends_at <= now


def end(auction: Auction, now: datetime) -> Auction:
    """The auction, about to end: the leader has it at the price, unless that is below the reserve.

    Raises:
        AuctionClosed: its end has not come, or it is being closed already.
    """
    if not is_due(auction, now):
        raise AuctionClosed(auction.status(now).value)
    begun = _begun(auction, Closing.END, None, now)
    leader = auction.leader
    if leader is None or not auction.is_reserve_met:
        return begun
    return replace(begun, winner_id=leader.user_id, winner_hold_id=leader.hold_id, sold_price_minor=auction.price_minor)


def price_to_buy(auction: Auction, buyer: UserId, now: datetime) -> int:
    """What it costs to have it at once, in minor units.

    Raises:
        OwnAuction, AuctionClosed, BuyNowGone: it cannot be had, and the first of these is why.
    """
    if buyer == auction.seller_id:
        raise OwnAuction
    if auction.phase is not Phase.OPEN or not auction.starts_at <= now < auction.ends_at:
        raise AuctionClosed(auction.status(now).value)
    price_minor = auction.buy_now_price_minor
    if price_minor is None or auction.price_minor >= price_minor:
        raise BuyNowGone
    return price_minor


def buy(auction: Auction, buyer: UserId, key: str, hold_id: HoldId, now: datetime) -> Auction:
    """The auction, about to end with whoever buys it at once, whatever anybody's maximum. The hold is of that price.
    The key is the one that the buyer asks with.

    Raises:
        OwnAuction, AuctionClosed, BuyNowGone: it cannot be had, and the first of these is why.
    """
    price_minor = price_to_buy(auction, buyer, now)
    begun = _begun(auction, Closing.BUY, buyer, now)
    return replace(begun, winner_id=buyer, winner_hold_id=hold_id, sold_price_minor=price_minor, buyer_key=key)


def cancel(auction: Auction, by: UserId | None, now: datetime, *, may_always: bool) -> Auction:
    """The auction, about to be called off; as it is, if it is that, or was. Whoever may not always, which is its
    seller, may while there is no bid.

    Raises:
        AuctionClosed: it has ended, or is about to.
        AuctionHasBids: it has.
    """
    if auction.closing is Closing.CANCEL:
        return auction
    if auction.phase is not Phase.OPEN:
        raise AuctionClosed(auction.status(now).value)
    if auction.bid_count and not may_always:
        raise AuctionHasBids
    return _begun(auction, Closing.CANCEL, by, now)


def finish(auction: Auction, order_id: OrderId | None, now: datetime) -> Auction:
    """The auction, over, with the order of whoever has it, if somebody does. It is as it is, if it was over before."""
    if auction.phase is not Phase.CLOSING:
        return auction
    if (order_id is None) != (auction.winner_id is None):
        raise ValueError(f"auction {auction.id} has an order without a winner, or a winner without an order")
    return replace(
        auction,
        phase=Phase.CANCELLED if auction.closing is Closing.CANCEL else Phase.ENDED,
        order_id=order_id,
        closed_at=now,
        updated_at=now,
        last_event_id=auction.last_event_id + 1,
    )


def lost_hold(auction: Auction) -> HoldId | None:
    """The leader's hold, where the closing that was begun is for somebody else, or for nobody."""
    leader = auction.leader
    return None if leader is None or leader.hold_id == auction.winner_hold_id else leader.hold_id


def _begun(auction: Auction, closing: Closing, by: UserId | None, now: datetime) -> Auction:
    return replace(auction, phase=Phase.CLOSING, closing=closing, closing_by=by, closing_at=now, updated_at=now)
