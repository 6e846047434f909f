"""What an auction is opened with."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from app.contexts.auctions.domain.auction import Auction
from app.contexts.auctions.domain.ids import AuctionId
from app.contexts.auctions.domain.refusals import Unfit
from app.contexts.auctions.domain.steps import Steps
from app.contexts.catalog.public import CategoryId, ProductId
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.kernel.principal import TenantId

SHORTEST: Final = timedelta(minutes=1)
LONGEST: Final = timedelta(days=30)
LATEST_START: Final = timedelta(days=365)


class Times(NamedTuple):
    """When an auction begins, and when it ends."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a seller says: starting ≤ reserve ≤ buy-now, in minor units. Without a start it begins at once."""

    product_id: ProductId
    currency: Currency
    starting_price_minor: int
    reserve_price_minor: int | None
    buy_now_price_minor: int | None
    starts_at: datetime | None
    ends_at: datetime

    def times(self, now: datetime) -> Times:
        """Its times, if it is opened now. A start that has gone by is now.

        Raises:
            Unfit: it is too short or too long, or begins too late.
        """
        starts_at = now if self.starts_at is None else max(self.starts_at, now)
        if starts_at - now > LATEST_START:
            raise Unfit("starts_at", f"must be within {LATEST_START.days} days")
        if not SHORTEST <= self.ends_at - starts_at <= LONGEST:
            raise Unfit("ends_at", f"must be 1 minute to {LONGEST.days} days behind the start")
        return Times(starts_at, self.ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What is auctioned, as it was when it was reserved."""

    seller_id: UserId
    title: str
    category_id: CategoryId | None


@dataclass(frozen=True, slots=True)
class House:
    """What all auctions of a currency are opened with: by how much bids go up, and how long it goes on behind one."""

    steps: Steps
    extend: timedelta


def opened(
    id: AuctionId, tenant_id: TenantId, terms: Terms, times: Times, piece: Piece, house: House, now: datetime
) -> Auction:
    """The auction, from now on."""
    return Auction(
        id=id,
        tenant_id=tenant_id,
        seller_id=piece.seller_id,
        product_id=terms.product_id,
        title=piece.title,
        category_id=piece.category_id,
        currency=terms.currency,
        starting_price_minor=terms.starting_price_minor,
        reserve_price_minor=terms.reserve_price_minor,
        buy_now_price_minor=terms.buy_now_price_minor,
        steps=house.steps,
        extend=house.extend,
        starts_at=times.starts_at,
        planned_end=times.ends_at,
        ends_at=times.ends_at,
        price_minor=terms.starting_price_minor,
        created_at=now,
        updated_at=now,
        last_event_id=1,
    )
