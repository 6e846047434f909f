"""Auctions for tests."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from app.contexts.auctions.domain.auction import Auction, Offer, Placed
from app.contexts.auctions.domain.ids import AuctionId, BidId
from app.contexts.auctions.domain.steps import Steps
from app.contexts.catalog.public import ProductId
from app.contexts.funds.public import HoldId
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from tests.builders import NOON, USD

SELLER = UserId(UUID(int=1))
STEPS = Steps(((0, 5), (100, 25), (1_000, 100)))
HOUR = timedelta(hours=1)
EXTEND = timedelta(minutes=2)


def auction(**overrides: Any) -> Auction:
    """An auction that starts at noon, at 100, for an hour, without anything special about it."""
    usual: dict[str, Any] = {
        "id": AuctionId(uuid4()),
        "tenant_id": TenantId(UUID(int=2)),
        "seller_id": SELLER,
        "product_id": ProductId(uuid4()),
        "title": "a lamp",
        "category_id": None,
        "currency": USD,
        "starting_price_minor": 100,
        "reserve_price_minor": None,
        "buy_now_price_minor": None,
        "steps": STEPS,
        "extend": EXTEND,
        "starts_at": NOON,
        "planned_end": NOON + HOUR,
        "created_at": NOON,
        "updated_at": NOON,
        "last_event_id": 1,
    }
    given = usual | overrides
    given.setdefault("price_minor", given["starting_price_minor"])
    given.setdefault("ends_at", given["planned_end"])
    return Auction(**given)


def offer(
    bidder: int, amount: int, most: int | None = None, *, ordinal: int | None = None, hold: HoldId | None = None
) -> Offer:
    """A bid of somebody's."""
    return Offer(
        id=BidId(uuid4()),
        bidder=UserId(UUID(int=bidder)),
        ordinal=ordinal,
        amount_minor=amount,
        max_minor=amount if most is None else most,
        hold_id=hold or HoldId(uuid4()),
    )


def after(of: Auction, *bids: tuple[int, int, int], minutes: float = 1) -> Placed:
    """What these bids (bidder, amount, maximum) make of the auction, all of them so many minutes behind its start."""
    ordinals: dict[int, int] = {}
    placed: Placed | None = None
    for bidder, amount, most in bids:
        bid = offer(bidder, amount, most, ordinal=ordinals.get(bidder))
        placed = of.place(bid, of.starts_at + timedelta(minutes=minutes))
        of = placed.auction
        ordinals[bidder] = placed.bid.ordinal
    assert placed is not None
    return placed
