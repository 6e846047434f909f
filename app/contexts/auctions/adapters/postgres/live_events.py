"""What watchers of auctions are told, in PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import Final

from app.contexts.auctions.application.watch import Happened
from app.contexts.auctions.domain.ids import AuctionId
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.errors import reading
from app.platform.postgres.pipeline import Statement, columns
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

# Of each auction along the key, from its place on.
AFTER: Final = Statement("""
    SELECT r.auction_id, e.event_id, e.type, e.document::text,
        extract(epoch FROM clock_timestamp() - e.created_at)::float8
    FROM unnest(%b::smallint[], %b::uuid[], %b::bigint[]) AS r (bucket, auction_id, seen)
    CROSS JOIN LATERAL (
        SELECT e.event_id, e.type, e.document, e.created_at FROM auctions.events e
        WHERE e.bucket = r.bucket AND e.auction_id = r.auction_id AND e.event_id > r.seen AND e.tenant_id = %b::uuid
        ORDER BY e.event_id LIMIT %b::bigint
    ) e
    ORDER BY r.auction_id, e.event_id
""")


class PostgresLiveEvents:
    """Implements `LiveEvents`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def after(self, tenant_id: TenantId, places: Mapping[AuctionId, int], most: int) -> Sequence[Happened]:
        """See `LiveEvents.after`."""
        wanted = columns([(bucket_of(id_), id_, seen) for id_, seen in places.items()])
        (rows,) = await self._rows.run(tenant_id, (AFTER, (*wanted, tenant_id, most)))
        return [
            Happened(AuctionId(id_), event_id, word, document.encode(), age_s)
            for id_, event_id, word, document, age_s in rows
        ]
