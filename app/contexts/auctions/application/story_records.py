"""What auctions have of one auction, for its story."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.contexts.auctions.domain.auction import Auction, Bid
from app.contexts.auctions.domain.ids import AuctionId
from app.contexts.auctions.domain.intent import Intent, Return
from app.kernel.principal import TenantId
from app.platform.operations.trail import WrittenEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedAuction:
    """An auction, the newest of what was bid (newest first), what is under way, and its newest events. `now`: the
    database's clock."""

    auction: Auction
    bids: Sequence[Bid]
    intents: Sequence[Intent]
    returns: Sequence[Return]
    events: Sequence[WrittenEvent]
    now: datetime


class StoryRecords(Protocol):
    """Looks into the database, in one snapshot. Raises `Unavailable` while it is out of reach."""

    async def auction(self, tenant_id: TenantId, auction_id: AuctionId, most: int) -> BookedAuction | None:
        """All of an auction's rows; of bids and events the newest, `most` of each."""
        ...
