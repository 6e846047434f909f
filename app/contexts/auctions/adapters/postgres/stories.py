"""What the database has of one auction."""

from typing import Final

from app.contexts.auctions.adapters.postgres.auction_rows import AUCTION_COLUMNS, auction_of
from app.contexts.auctions.adapters.postgres.bid_rows import BID_COLUMNS, bid_of
from app.contexts.auctions.adapters.postgres.intent_rows import INTENT_COLUMNS, RETURN_COLUMNS, intent_of, return_of
from app.contexts.auctions.application.story_records import BookedAuction
from app.contexts.auctions.domain.ids import AuctionId
from app.kernel.principal import TenantId
from app.platform.operations.trail import WrittenEvent
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.inspection import found, inspecting, see_tenant

LOOK_S: Final = 5.0

_OF: Final = "bucket = %(bucket)s AND {of}auction_id = %(id)s AND {of}tenant_id = %(tenant_id)s"
AUCTION: Final = f"""
    SELECT {AUCTION_COLUMNS}, clock_timestamp() FROM auctions.auctions a
    WHERE a.bucket = %(bucket)s AND a.id = %(id)s AND a.tenant_id = %(tenant_id)s
"""
BIDS: Final = f"""
    SELECT {BID_COLUMNS} FROM auctions.bids b WHERE b.{_OF.format(of="b.")} ORDER BY b.sequence DESC LIMIT %(most)s
"""
INTENTS: Final = f"""
    SELECT {INTENT_COLUMNS} FROM auctions.intents i WHERE i.{_OF.format(of="i.")} ORDER BY i.created_at LIMIT %(most)s
"""
RETURNS: Final = f"""
    SELECT {RETURN_COLUMNS} FROM auctions.returns b WHERE b.{_OF.format(of="b.")} ORDER BY b.created_at LIMIT %(most)s
"""
EVENTS: Final = """
    SELECT * FROM (
        SELECT event_id, type, sequence, created_at, sent_at, attempts, retry_at, last_error
        FROM auctions.outbox_events
        WHERE subject = %(id)s
        ORDER BY sequence DESC
        LIMIT %(most)s
    ) e ORDER BY sequence
"""


class PostgresAuctionStories:
    """Implements `StoryRecords`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def auction(self, tenant_id: TenantId, auction_id: AuctionId, most: int) -> BookedAuction | None:
        """See `StoryRecords.auction`."""
        known: dict[str, object] = {
            "tenant_id": tenant_id, "id": auction_id, "bucket": bucket_of(auction_id), "most": most,
        }  # fmt: skip
        async with inspecting(self._url, LOOK_S) as session:
            await see_tenant(session, tenant_id)
            rows = await found(session, AUCTION, known)
            if not rows:
                return None
            return BookedAuction(
                auction=auction_of(rows[0][:-1]),
                bids=list(map(bid_of, await found(session, BIDS, known))),
                intents=list(map(intent_of, await found(session, INTENTS, known))),
                returns=list(map(return_of, await found(session, RETURNS, known))),
                events=[WrittenEvent(*row) for row in await found(session, EVENTS, known)],
                now=rows[0][-1],
            )
