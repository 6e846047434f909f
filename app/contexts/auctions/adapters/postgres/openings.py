"""Auctions that are being opened, in PostgreSQL."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from app.contexts.auctions.adapters.postgres import auction_rows, event_documents
from app.contexts.auctions.application.browse import Seen
from app.contexts.auctions.application.open_auction import Opened
from app.contexts.auctions.domain.events import Event, EventType
from app.contexts.auctions.domain.ids import AuctionId
from app.contexts.auctions.domain.opening import Times
from app.kernel.ids import EventId
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.errors import writing
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

_INSERT: Final = Statement("""
    INSERT INTO auctions.openings (bucket, auction_id, tenant_id, created_at)
    VALUES (%b::smallint, %b::uuid, %b::uuid, now())
""")
_OF: Final = "o.bucket = %b::smallint AND o.auction_id = %b::uuid AND o.tenant_id = %b::uuid"
_CONSUME: Final = Statement(f"""
    DELETE FROM auctions.openings o WHERE {_OF} AND o.status = 'open' RETURNING o.auction_id
""")
_GIVE_UP: Final = Statement(f"""
    UPDATE auctions.openings o SET status = 'undoing' WHERE {_OF} RETURNING o.auction_id
""")
_END: Final = Statement(f"DELETE FROM auctions.openings o WHERE {_OF}")


class PostgresOpenings:
    """Implements `Openings`."""

    def __init__(self, rows: TenantRows, pool: Pool, ids: Ids) -> None:
        self._rows = rows
        self._pool = pool
        self._ids = ids

    @writing
    async def begin(self, tenant_id: TenantId, auction_id: AuctionId, times: Callable[[datetime], Times]) -> Times:
        """See `Openings.begin`."""
        async with self._rows.open(tenant_id) as transaction:
            _, now = await transaction.begin((_INSERT, (bucket_of(auction_id), auction_id, tenant_id)))
            found = times(now)
            await transaction.commit([])
        return found

    @writing
    async def open(
        self, tenant_id: TenantId, auction_id: AuctionId, make: Opened, traceparent: str | None
    ) -> Seen | None:
        """See `Openings.open`."""
        async with self._rows.open(tenant_id) as transaction:
            (consumed,), now = await transaction.begin((_CONSUME, (bucket_of(auction_id), auction_id, tenant_id)))
            if not consumed:
                return None
            auction = make(now)
            event = Event(EventId(self._ids()), EventType.OPENED, auction, now, traceparent)
            await transaction.commit([auction_rows.insert([auction]), *event_documents.insert([event])])
        return Seen(auction, now)

    @writing
    async def give_up(self, tenant_id: TenantId, auction_id: AuctionId) -> bool:
        """See `Openings.give_up`."""
        (rows,) = await self._rows.run(tenant_id, (_GIVE_UP, (bucket_of(auction_id), auction_id, tenant_id)))
        return bool(rows)

    @writing
    async def end(self, tenant_id: TenantId, auction_id: AuctionId) -> None:
        """See `Openings.end`."""
        await self._rows.run(tenant_id, (_END, (bucket_of(auction_id), auction_id, tenant_id)))
