"""Auctions and bids in PostgreSQL, as they are read."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from app.contexts.auctions.adapters.postgres.auction_rows import AUCTION_COLUMNS, auction_of
from app.contexts.auctions.adapters.postgres.bid_rows import BID_COLUMNS, bid_of
from app.contexts.auctions.application.browse import Filters, Seen, Sort, Wanted
from app.contexts.auctions.domain.auction import Bid, Status
from app.contexts.auctions.domain.ids import AuctionId
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.errors import reading
from app.platform.postgres.pipeline import Call, Row, Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

ONE: Final = Statement(f"""
    SELECT {AUCTION_COLUMNS}, clock_timestamp() FROM auctions.auctions a
    WHERE a.bucket = %b::smallint AND a.id = %b::uuid AND a.tenant_id = %b::uuid
""")
BIDS: Final = Statement(f"""
    SELECT {BID_COLUMNS} FROM auctions.bids b
    WHERE b.bucket = %b::smallint AND b.auction_id = %b::uuid AND b.tenant_id = %b::uuid AND b.sequence < %b::bigint
    ORDER BY b.sequence DESC
    LIMIT %b::bigint
""")
THERE: Final = Statement("""
    SELECT FROM auctions.auctions a WHERE a.bucket = %b::smallint AND a.id = %b::uuid AND a.tenant_id = %b::uuid
""")

_BEYOND_ALL: Final = 2**31
# By the clock: what has ended or was cancelled says so, all else is before its start or behind it.
_STATUSES: Final = {
    Status.SCHEDULED: "a.closed_at IS NULL AND a.starts_at > now()",
    Status.LIVE: "a.closed_at IS NULL AND a.starts_at <= now()",
    Status.ENDED: "a.closed_at IS NOT NULL AND a.status = 'ended'",
    Status.CANCELLED: "a.closed_at IS NOT NULL AND a.status = 'cancelled'",
}
_BEHIND: Final = {
    Sort.ENDING: "(a.ends_at, a.id) > (%b::timestamptz, %b::uuid)",
    Sort.NEWEST: "(a.created_at, a.id) < (%b::timestamptz, %b::uuid)",
}
_ORDERS: Final = {Sort.ENDING: "a.ends_at, a.id", Sort.NEWEST: "a.created_at DESC, a.id DESC"}


def page(tenant_id: TenantId, wanted: Wanted) -> Call:
    """The statement of a page, one auction longer than that is."""
    asked = [("a.tenant_id = %b::uuid", (tenant_id,)), *_filtered(wanted.filters)]
    if wanted.after is not None:
        asked.append((_BEHIND[wanted.sort], tuple(wanted.after)))
    conditions = " AND ".join(condition for condition, _ in asked)
    values = [value for _, values in asked for value in values]
    return _statement(conditions, _ORDERS[wanted.sort]), [*values, wanted.limit + 1]


@lru_cache(maxsize=128)
def _statement(conditions: str, order: str) -> Statement:
    return Statement(f"""
        SELECT {AUCTION_COLUMNS}, clock_timestamp() FROM auctions.auctions a
        WHERE {conditions} ORDER BY {order} LIMIT %b::bigint
    """)


def _filtered(filters: Filters) -> Iterator[tuple[str, tuple[object, ...]]]:
    if filters.status is not None:
        yield _STATUSES[filters.status], ()
    if filters.seller is not None:
        yield "a.seller_id = %b::uuid", (filters.seller,)
    match filters.categories:
        case None:
            pass
        case (only,):  # as one of several, no index would have them in an order
            yield "a.category_id = %b::uuid", (only,)
        case several:
            yield "a.category_id = ANY(%b::uuid[])", ([*several],)


class PostgresListings:
    """It implements `Listings`. The pool's plans are made for the values of each statement."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def one(self, tenant_id: TenantId, auction_id: AuctionId) -> Seen | None:
        """See `Listings.one`."""
        (rows,) = await self._rows.run(tenant_id, (ONE, (bucket_of(auction_id), auction_id, tenant_id)))
        return seen_of(rows[0]) if rows else None

    @reading
    async def page(self, tenant_id: TenantId, wanted: Wanted) -> Sequence[Seen]:
        """See `Listings.page`."""
        (rows,) = await self._rows.run(tenant_id, page(tenant_id, wanted))
        return list(map(seen_of, rows))

    @reading
    async def bids(
        self, tenant_id: TenantId, auction_id: AuctionId, before: int | None, limit: int
    ) -> Sequence[Bid] | None:
        """See `Listings.bids`."""
        of = bucket_of(auction_id), auction_id, tenant_id
        # A cursor says where anybody wants it to, and may say what no number of PostgreSQL's is.
        first = _BEYOND_ALL if before is None else min(before, _BEYOND_ALL)
        there, rows = await self._rows.run(tenant_id, (THERE, of), (BIDS, (*of, first, limit)))
        return list(map(bid_of, rows)) if there else None


def seen_of(row: Row) -> Seen:
    """The auction in a row of `AUCTION_COLUMNS`, and the time in the last column."""
    *auction, at = row
    assert isinstance(at, datetime)
    return Seen(auction_of(tuple(auction)), at.astimezone(UTC))
