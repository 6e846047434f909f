"""Rows of bids and bidders."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from app.contexts.auctions.application.books import Bidder
from app.contexts.auctions.domain.auction import Bid
from app.contexts.auctions.domain.ids import AuctionId, BidId
from app.contexts.funds.public import HoldId
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.pipeline import Call, Row, Statement, columns

BID_COLUMNS: Final = """
    b.id, b.sequence, b.user_id, b.ordinal, b.amount, b.max_amount, b.hold_id, b.price, b.ends_at, b.leads,
    b.created_at
"""
"""Of a bid, as `bid_of` reads them; the table is `b`."""

# Behind the auctions' locks, a statement of its own: it sees what the last holder has written.
READ_BIDDERS: Final = Statement("""
    SELECT r.auction_id, r.user_id, b.ordinal
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[]) AS r (bucket, auction_id, user_id)
    CROSS JOIN LATERAL (
        SELECT b.ordinal FROM auctions.bidders b
        WHERE b.bucket = r.bucket AND b.auction_id = r.auction_id AND b.user_id = r.user_id AND b.tenant_id = %b::uuid
        OFFSET 0
    ) b
""")
_INSERT_BIDDERS: Final = Statement("""
    INSERT INTO auctions.bidders (tenant_id, bucket, auction_id, user_id, ordinal)
    SELECT %b::uuid, r.* FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::bigint[]) AS r
""")
_INSERT: Final = Statement("""
    INSERT INTO auctions.bids (tenant_id, bucket, auction_id, id, sequence, user_id, ordinal, amount, max_amount,
        hold_id, price, ends_at, leads, created_at)
    SELECT %b::uuid, r.*
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::bigint[], %b::uuid[], %b::bigint[], %b::bigint[],
                %b::bigint[], %b::uuid[], %b::bigint[], %b::timestamptz[], %b::boolean[], %b::timestamptz[]) AS r
""")


def read_bidders(tenant_id: TenantId, bidders: Collection[Bidder]) -> Call:
    """The statement that reads bidders' ordinals; `ordinals_of` reads its rows."""
    rows = [(bucket_of(auction_id), auction_id, user_id) for auction_id, user_id in bidders]
    return READ_BIDDERS, (*(columns(rows) if rows else [(), (), ()]), tenant_id)


def ordinals_of(rows: Sequence[Row]) -> Mapping[Bidder, int]:
    """The ordinals."""
    return {(AuctionId(auction_id), UserId(user_id)): ordinal for auction_id, user_id, ordinal in rows}


def insert_bidders(tenant_id: TenantId, ordinals: Mapping[Bidder, int]) -> Call:
    """The statement that writes new bidders."""
    rows = [(bucket_of(auction_id), auction_id, user_id, n) for (auction_id, user_id), n in ordinals.items()]
    return _INSERT_BIDDERS, (tenant_id, *columns(rows))


def insert(tenant_id: TenantId, bids: Mapping[AuctionId, Sequence[Bid]]) -> Call:
    """The statement that writes new bids."""
    rows = [(bucket_of(auction_id), auction_id, *_values(bid)) for auction_id, own in bids.items() for bid in own]
    return _INSERT, (tenant_id, *columns(rows))


def bid_of(row: Row) -> Bid:
    """The bid in a row of `BID_COLUMNS`."""
    id_, sequence, user_id, ordinal, amount, max_amount, hold_id, price, ends_at, leads, created_at = row
    return Bid(
        id=BidId(id_),
        sequence=sequence,
        bidder=UserId(user_id),
        ordinal=ordinal,
        amount_minor=amount,
        max_minor=max_amount,
        hold_id=HoldId(hold_id),
        price_minor=price,
        ends_at=ends_at,
        is_leading=leads,
        created_at=created_at,
    )


def _values(b: Bid) -> tuple[Any, ...]:
    return (
        b.id, b.sequence, b.bidder, b.ordinal, b.amount_minor, b.max_minor, b.hold_id, b.price_minor, b.ends_at,
        b.is_leading, b.created_at,
    )  # fmt: skip
