"""What watchers of auctions are told, in PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from app.contexts.auctions.adapters.postgres.auction_rows import AUCTION_COLUMNS
from app.contexts.auctions.adapters.postgres.listings import seen_of
from app.contexts.auctions.application.browse import Seen
from app.contexts.auctions.application.live_events import Happened, Place
from app.contexts.auctions.domain.ids import AuctionId
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.errors import reading
from app.platform.postgres.pipeline import Statement, columns
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

# Each along its key: the limit keeps the planner from reading all of the tenant's for one of them.
STANDING: Final = Statement(f"""
    SELECT {AUCTION_COLUMNS}, clock_timestamp()
    FROM unnest(%b::smallint[], %b::uuid[]) AS r (bucket, id)
    CROSS JOIN LATERAL (
        SELECT * FROM auctions.auctions a
        WHERE a.bucket = r.bucket AND a.id = r.id AND a.tenant_id = %b::uuid
        LIMIT 1
    ) a
""")
# Of each auction along the key, from its place on.
AFTER: Final = Statement("""
    SELECT r.auction_id, r.told, e.event_id, e.type, e.document::text,
        extract(epoch FROM clock_timestamp() - e.created_at)::float8
    FROM unnest(%b::smallint[], %b::uuid[], %b::bigint[]) AS r (bucket, auction_id, told)
    CROSS JOIN LATERAL (
        SELECT e.event_id, e.type, e.document, e.created_at FROM auctions.events e
        WHERE e.bucket = r.bucket AND e.auction_id = r.auction_id AND e.event_id > r.told AND e.tenant_id = %b::uuid
        ORDER BY e.event_id LIMIT %b::bigint
    ) e
    ORDER BY r.auction_id, r.told, e.event_id
""")
AT_ONCE: Final = 64
"""Places that one statement looks at."""


class PostgresLiveEvents:
    """Implements `LiveEvents`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def standing(self, tenant_id: TenantId, auctions: Collection[AuctionId]) -> Mapping[AuctionId, Seen]:
        """See `LiveEvents.standing`."""
        wanted = columns([(bucket_of(id_), id_) for id_ in auctions])
        (rows,) = await self._rows.run(tenant_id, (STANDING, (*wanted, tenant_id)))
        return {seen.auction.id: seen for seen in map(seen_of, rows)}

    @reading
    async def after(
        self, tenant_id: TenantId, places: Collection[Place], most: int
    ) -> Mapping[Place, Sequence[Happened]]:
        """See `LiveEvents.after`."""
        found: dict[Place, list[Happened]] = {}
        wanted = [(bucket_of(place.auction_id), *place) for place in places]
        for first in range(0, len(wanted), AT_ONCE):
            some = columns(wanted[first : first + AT_ONCE])
            (rows,) = await self._rows.run(tenant_id, (AFTER, (*some, tenant_id, most)))
            for auction_id, told, event_id, word, document, age_s in rows:
                happened = Happened(event_id, word, document.encode(), age_s)
                found.setdefault(Place(AuctionId(auction_id), told), []).append(happened)
        return found
