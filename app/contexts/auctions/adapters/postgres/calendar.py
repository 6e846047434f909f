"""What there is to be closed, as recovery finds it."""

from collections.abc import Collection, Sequence
from typing import Final

from app.contexts.auctions.adapters.postgres import intent_rows
from app.contexts.auctions.adapters.postgres.auction_rows import AUCTION_COLUMNS, auction_of
from app.contexts.auctions.application.close_due import AuctionBacklog, CloseTerms, DueAuctions
from app.contexts.auctions.domain.ids import AuctionId, BidId
from app.contexts.auctions.domain.intent import Intent
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.postgres.errors import reading
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

# No lease: who has it is decided behind the lock of its row, which a worker waits for as a bidder does.
ENDING: Final = Statement("""
    SELECT a.id FROM auctions.auctions a
    WHERE a.tenant_id = %b::uuid AND a.status = 'open' AND a.ends_at <= now()
    ORDER BY a.ends_at, a.id
    LIMIT %b::bigint
""")
# Ages and leases go by the database's clock alone. A lease that ends later than one would that began now is over: the
# clock has gone back. SKIP LOCKED: workers side by side take different ones.
_FREE: Final = """
    (d.recover_after IS NULL OR d.recover_after <= now()
        OR d.recover_after > clock_timestamp() + make_interval(secs => %b::float8))
"""
_LEASE: Final = "recover_after = clock_timestamp() + make_interval(secs => %b::float8)"
TAKE_CLOSING: Final = Statement(f"""
    UPDATE auctions.auctions a SET {_LEASE}
    FROM (
        SELECT d.bucket, d.id FROM auctions.auctions d
        WHERE d.tenant_id = %b::uuid AND d.status = 'closing'
            AND d.closing_at <= now() - make_interval(secs => %b::float8) AND {_FREE}
        ORDER BY d.closing_at
        LIMIT %b::bigint
        FOR UPDATE SKIP LOCKED
    ) due
    WHERE a.bucket = due.bucket AND a.id = due.id
    RETURNING {AUCTION_COLUMNS}
""")
TAKE_OPENING: Final = Statement(f"""
    UPDATE auctions.openings o SET {_LEASE}
    FROM (
        SELECT d.bucket, d.auction_id FROM auctions.openings d
        WHERE d.tenant_id = %b::uuid AND d.created_at <= now() - make_interval(secs => %b::float8) AND {_FREE}
        ORDER BY d.created_at
        LIMIT %b::bigint
        FOR UPDATE SKIP LOCKED
    ) due
    WHERE o.bucket = due.bucket AND o.auction_id = due.auction_id
    RETURNING o.auction_id
""")
SELLERS: Final = Statement("""
    SELECT DISTINCT a.seller_id FROM auctions.auctions a WHERE a.tenant_id = %b::uuid AND a.closed_at IS NULL
""")
OF_SELLERS: Final = Statement("""
    SELECT a.id FROM auctions.auctions a
    WHERE a.tenant_id = %b::uuid AND a.closed_at IS NULL AND a.seller_id = ANY(%b::uuid[]) AND a.status = 'open'
    LIMIT %b::bigint
""")
# Of the indexes of what is not over alone: as many rows as are.
_AGE: Final = "coalesce(extract(epoch FROM clock_timestamp() - min({since})), 0)::float8"
BACKLOG: Final = Statement(f"""
    SELECT running.*, half_done.* FROM
        (SELECT count(*), greatest(0, {_AGE.format(since="ends_at")}) FROM auctions.auctions
         WHERE tenant_id = %b::uuid AND closed_at IS NULL) running,
        (SELECT count(*), {_AGE.format(since="since")} FROM (
            SELECT closing_at AS since FROM auctions.auctions WHERE tenant_id = %b::uuid AND status = 'closing'
            UNION ALL
            SELECT created_at FROM auctions.openings WHERE tenant_id = %b::uuid
         ) each) half_done
""")


class PostgresCalendar:
    """Finds what is due for workers. It implements `Calendar` and `Intents`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def take(self, tenant_id: TenantId, terms: CloseTerms) -> DueAuctions:
        """See `Calendar.take`."""
        lease_s, older_s, limit = terms.lease_s, terms.older_than_s, terms.limit
        half_done = lease_s, tenant_id, older_s, max(lease_s, older_s), limit
        ending, closing, opening = await self._rows.run(
            tenant_id, (ENDING, (tenant_id, limit)), (TAKE_CLOSING, half_done), (TAKE_OPENING, half_done)
        )
        return DueAuctions(
            [AuctionId(id_) for (id_,) in ending],
            list(map(auction_of, closing)),
            [AuctionId(id_) for (id_,) in opening],
        )

    @reading
    async def sellers(self, tenant_id: TenantId) -> Collection[UserId]:
        """See `Calendar.sellers`."""
        (rows,) = await self._rows.run(tenant_id, (SELLERS, (tenant_id,)))
        return [UserId(id_) for (id_,) in rows]

    @reading
    async def of_sellers(self, tenant_id: TenantId, sellers: Collection[UserId], limit: int) -> Sequence[AuctionId]:
        """See `Calendar.of_sellers`."""
        (rows,) = await self._rows.run(tenant_id, (OF_SELLERS, (tenant_id, [*sellers], limit)))
        return [AuctionId(id_) for (id_,) in rows]

    @reading
    async def backlog(self, tenants: Sequence[TenantId]) -> AuctionBacklog:
        """See `Calendar.backlog`."""
        found = [row for each in tenants for row in (await self._rows.run(each, (BACKLOG, (each, each, each))))[0]]
        counts, overdue, half_done, ages = zip(*found, strict=True) if found else ((), (), (), ())
        return AuctionBacklog(sum(counts), max(overdue, default=0.0), sum(half_done), max(ages, default=0.0))

    @reading
    async def one(self, tenant_id: TenantId, auction_id: AuctionId, intent_id: BidId) -> Intent | None:
        """See `Intents.one`."""
        (rows,) = await self._rows.run(tenant_id, intent_rows.read(tenant_id, [(auction_id, intent_id)]))
        return intent_rows.intent_of(rows[0]) if rows else None
