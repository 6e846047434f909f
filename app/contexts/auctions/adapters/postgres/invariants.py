"""The invariants of auctions that they can see alone, each as a query for what contradicts it.

They see the rows of one tenant at a time, as anybody does. They hold against an owner who drops constraints.
"""

from collections.abc import Sequence
from typing import Final

from app.contexts.auctions.adapters.postgres.auction_rows import AUCTION_COLUMNS
from app.contexts.auctions.adapters.postgres.bid_rows import BID_COLUMNS
from app.platform.postgres.walls import Claim

# Bid by bid, in one stream: of two, over one snapshot, there can only be one at a time.
PLAYED: Final = f"""
    SELECT {BID_COLUMNS}, {AUCTION_COLUMNS}
    FROM auctions.auctions a
    LEFT JOIN auctions.bids b ON b.bucket = a.bucket AND b.auction_id = a.id
    ORDER BY a.bucket, a.id, b.sequence
"""

_NO_GAPS: Final = """
    SELECT format('auction %s has %s bids up to %s, and counts %s', a.id, count(b.sequence), max(b.sequence),
                  a.bid_count)
    FROM auctions.auctions a
    LEFT JOIN auctions.bids b ON b.bucket = a.bucket AND b.auction_id = a.id
    GROUP BY a.bucket, a.id
    HAVING count(b.sequence) <> a.bid_count OR coalesce(max(b.sequence), 0) <> a.bid_count OR min(b.sequence) <> 1
    UNION ALL
    SELECT format('auction %s has %s events up to %s, and counts %s', a.id, count(e.event_id), max(e.event_id),
                  a.last_event_id)
    FROM auctions.auctions a
    LEFT JOIN auctions.events e ON e.bucket = a.bucket AND e.auction_id = a.id
    GROUP BY a.bucket, a.id
    HAVING count(e.event_id) <> a.last_event_id OR max(e.event_id) <> a.last_event_id OR min(e.event_id) <> 1
    UNION ALL
    SELECT format('auction %s has %s bidders up to %s, and counts %s', a.id, count(b.ordinal), max(b.ordinal),
                  a.bidder_count)
    FROM auctions.auctions a
    LEFT JOIN auctions.bidders b ON b.bucket = a.bucket AND b.auction_id = a.id
    GROUP BY a.bucket, a.id
    HAVING count(b.ordinal) <> a.bidder_count OR coalesce(max(b.ordinal), 0) <> a.bidder_count OR min(b.ordinal) <> 1
"""

_NOTHING_HALF_DONE: Final = """
    SELECT format('bid %s of user %s in auction %s is under way since %s', id, user_id, auction_id, created_at)
    FROM auctions.intents
    WHERE created_at < clock_timestamp() - make_interval(secs => {limit_s})
    UNION ALL
    SELECT format('hold %s of user %s in auction %s has been for nothing since %s', hold_id, user_id, auction_id,
                  created_at)
    FROM auctions.returns
    WHERE created_at < clock_timestamp() - make_interval(secs => {limit_s})
"""

_NOTHING_WAITS: Final = """
    SELECT format('auction %s is being opened since %s', auction_id, created_at) FROM auctions.openings
    WHERE created_at < clock_timestamp() - make_interval(secs => {limit_s})
    UNION ALL
    SELECT format('auction %s is being closed since %s', id, closing_at) FROM auctions.auctions
    WHERE status = 'closing' AND closing_at < clock_timestamp() - make_interval(secs => {limit_s})
    UNION ALL
    SELECT format('the end of auction %s came at %s, and nobody closes it', id, ends_at) FROM auctions.auctions
    WHERE status = 'open' AND ends_at < clock_timestamp() - make_interval(secs => {limit_s})
"""

OF_TENANTS: Final[Sequence[Claim]] = (
    (
        "auctions_count_without_gaps",
        "bids, events and bidders of an auction are numbered from 1 on without a gap, as far as it counts",
        _NO_GAPS,
    ),
    (
        "no_bid_is_half_done",
        "no bid is under way, and no hold for nothing, for more than {limit_s} s",
        _NOTHING_HALF_DONE,
    ),
    (
        "no_auction_waits",
        "no auction is being opened, or closed, or past its end, for more than {limit_s} s",
        _NOTHING_WAITS,
    ),
)


def of_tenants(limit_s: float) -> Sequence[Claim]:
    """Name, claim and query of each; what is half done may be so for so many seconds."""
    limit = f"{limit_s:g}"
    return [
        (name, claim.replace("{limit_s}", limit), query.replace("{limit_s}", limit))
        for name, claim, query in OF_TENANTS
    ]
