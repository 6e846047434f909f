"""Auctions whose rows a test writes, as the product does: one bid after the other, without anybody's money."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg

from app.contexts.auctions.adapters.postgres import auction_rows, event_documents
from app.contexts.auctions.domain.auction import Auction, Closing, Offer, Phase
from app.contexts.auctions.domain.events import Event, EventType, told_of
from app.contexts.auctions.domain.ids import AuctionId, BidId
from app.contexts.auctions.domain.steps import Steps
from app.contexts.catalog.public import ProductId
from app.contexts.funds.public import HoldId
from app.kernel.ids import EventId, UserId
from app.kernel.money import Currency
from app.kernel.principal import TenantId
from app.platform.postgres.pipeline import Call, run

MAXIMUM = 987_654_321
"""Of whoever has bid: a number that nobody else is told."""
RESERVE = 998_765_432
"""More than anybody bids."""


@dataclass
class Hammer:
    """Writes, as a superuser, whom no policy holds."""

    url: str
    tenant: TenantId
    bidders: list[UserId] = field(default_factory=lambda: [UserId(uuid4()) for _ in range(3)])

    async def opened(self, **members: Any) -> Auction:
        """An auction that is live and ends within the hour."""
        now = datetime.now(UTC)
        ends_at = now + timedelta(hours=1)
        auction = Auction(**{
            "id": AuctionId(uuid4()), "tenant_id": self.tenant, "seller_id": UserId(uuid4()),
            "product_id": ProductId(uuid4()), "title": "a lamp", "category_id": None, "currency": Currency("USD"),
            "starting_price_minor": 1_000, "reserve_price_minor": None, "buy_now_price_minor": None,
            "steps": Steps(((0, 100),)), "extend": timedelta(0), "starts_at": now - timedelta(minutes=1),
            "planned_end": ends_at, "ends_at": ends_at, "price_minor": 1_000, "created_at": now, "updated_at": now,
            "last_event_id": 1, **members,
        })  # fmt: skip
        await self._write(auction_rows.insert([auction]), *_told(EventType.OPENED, auction))
        return auction

    async def bid(self, auction: Auction, times: int = 1, max_minor: int = 0) -> Auction:
        """The auction after so many bids, each by another bidder and for as little as is taken, or up to that."""
        calls: list[Call] = []
        for _ in range(times):
            nth = auction.bid_count % len(self.bidders)
            amount = auction.minimum_bid_minor
            offer = Offer(
                id=BidId(uuid4()),
                bidder=self.bidders[nth],
                ordinal=nth + 1 if auction.bid_count >= len(self.bidders) else None,
                amount_minor=amount,
                max_minor=max(amount, max_minor),
                hold_id=HoldId(uuid4()),
            )
            placed = auction.place(offer, datetime.now(UTC))
            auction = placed.auction
            calls += event_documents.insert(told_of(placed, uuid4, None))
        await self._write(*calls, auction_rows.update(self.tenant, [auction]))
        return auction

    async def closed(self, auction: Auction, phase: Phase = Phase.ENDED) -> Auction:
        """The auction once it has ended without a winner, or was called off."""
        now = datetime.now(UTC)
        auction = replace(
            auction,
            phase=phase,
            closing=Closing.END if phase is Phase.ENDED else Closing.CANCEL,
            closing_at=now,
            closed_at=now,
            updated_at=now,
            last_event_id=auction.last_event_id + 1,
        )
        kind = EventType.ENDED if phase is Phase.ENDED else EventType.CANCELLED
        await self._write(*_told(kind, auction), auction_rows.update(self.tenant, [auction]))
        return auction

    async def _write(self, *calls: Call) -> None:
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as superuser:
            await run(superuser, calls)


def _told(kind: EventType, auction: Auction) -> Sequence[Call]:
    return event_documents.insert([Event(EventId(uuid4()), kind, auction, auction.updated_at)])
