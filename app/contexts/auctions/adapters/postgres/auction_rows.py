"""Rows of auctions."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, Final

from app.contexts.auctions.domain.auction import Auction, Closing, Leader, Phase
from app.contexts.auctions.domain.ids import AuctionId, BidId
from app.contexts.auctions.domain.steps import Steps
from app.contexts.catalog.public import CategoryId, ProductId
from app.contexts.funds.public import HoldId
from app.contexts.ordering.public import OrderId
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import ONE_BY_ONE, bucket_of
from app.platform.postgres.pipeline import Call, Row, Statement, columns

_OPENED: Final = """
    tenant_id, id, seller_id, product_id, title, category_id, currency, starting_price, reserve_price, buy_now_price,
    steps, extend_s, starts_at, planned_end, created_at
"""
_MOVES: Final = """
    ends_at, status, price, second_max, bid_count, bidder_count, last_event_id, leader_id, leader_ordinal,
    leader_bid_id, leader_max, leader_hold_id, raising_bid_id, closing, closing_by, closing_at, winner_id,
    winner_hold_id, sold_price, buyer_key, order_id, closed_at, updated_at
"""
_MOVING_TYPES: Final = """
    %b::timestamptz[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::uuid[],
    %b::bigint[], %b::uuid[], %b::bigint[], %b::uuid[], %b::uuid[], %b::text[], %b::uuid[], %b::timestamptz[],
    %b::uuid[], %b::uuid[], %b::bigint[], %b::text[], %b::uuid[], %b::timestamptz[], %b::timestamptz[]
"""


def _of(table: str, names: str) -> list[str]:
    return [f"{table}.{name.strip()}" for name in names.split(",")]


AUCTION_COLUMNS: Final = ", ".join(_of("a", _OPENED) + _of("a", _MOVES))
"""Of an auction, as `auction_of` reads them; the table is `a`."""

# Each along its key and one after the other, so that two batches never wait for each other's auctions crosswise.
LOCK: Final = Statement(f"""
    SELECT {AUCTION_COLUMNS}
    FROM (SELECT * FROM unnest(%b::smallint[], %b::uuid[]) AS r (bucket, id) ORDER BY r.bucket, r.id) r
    CROSS JOIN LATERAL (
        SELECT * FROM auctions.auctions a
        WHERE a.bucket = r.bucket AND a.id = r.id AND a.tenant_id = %b::uuid
        FOR UPDATE
    ) a
""")
INSERT: Final = Statement(f"""
    INSERT INTO auctions.auctions (bucket, {_OPENED}, {_MOVES})
    SELECT * FROM unnest(
        %b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::uuid[], %b::text[],
        %b::bigint[], %b::bigint[], %b::bigint[], %b::text[], %b::float8[], %b::timestamptz[], %b::timestamptz[],
        %b::timestamptz[], {_MOVING_TYPES})
""")
UPDATE: Final = Statement(f"""
    UPDATE auctions.auctions a SET ({_MOVES}) = ROW({", ".join(_of("r", _MOVES))})
    FROM unnest(%b::smallint[], %b::uuid[], {_MOVING_TYPES}) AS r (bucket, id, {_MOVES})
    WHERE {ONE_BY_ONE} AND a.bucket = r.bucket AND a.id = r.id AND a.tenant_id = %b::uuid
""")


def lock(tenant_id: TenantId, auctions: Collection[AuctionId]) -> Call:
    """The statement that locks auctions, each there once; `auction_of` reads a row."""
    return LOCK, (*columns([(bucket_of(id_), id_) for id_ in auctions]), tenant_id)


def insert(auctions: Sequence[Auction]) -> Call:
    """The statement that writes new auctions."""
    return INSERT, columns([(bucket_of(a.id), *_opened(a), *_moves(a)) for a in auctions])


def update(tenant_id: TenantId, auctions: Sequence[Auction]) -> Call:
    """The statement that writes auctions, which are locked, as they are now."""
    return UPDATE, (*columns([(bucket_of(a.id), a.id, *_moves(a)) for a in auctions]), tenant_id)


def auction_of(row: Row) -> Auction:
    """The auction in a row of `AUCTION_COLUMNS`."""
    (
        tenant_id, id_, seller_id, product_id, title, category_id, currency, starting_price, reserve_price,
        buy_now_price, steps, extend_s, starts_at, planned_end, created_at,
        ends_at, status, price, second_max, bid_count, bidder_count, last_event_id, leader_id, leader_ordinal,
        leader_bid_id, leader_max, leader_hold_id, raising_bid_id, closing, closing_by, closing_at, winner_id,
        winner_hold_id, sold_price, buyer_key, order_id, closed_at, updated_at,
    ) = row  # fmt: skip
    who = leader_id, leader_ordinal, leader_bid_id, leader_max, leader_hold_id, raising_bid_id
    return Auction(
        id=AuctionId(id_),
        tenant_id=TenantId(tenant_id),
        seller_id=UserId(seller_id),
        product_id=ProductId(product_id),
        title=title,
        category_id=category_id and CategoryId(category_id),
        currency=Currency(currency),
        starting_price_minor=starting_price,
        reserve_price_minor=reserve_price,
        buy_now_price_minor=buy_now_price,
        steps=Steps.read(steps),
        extend=timedelta(seconds=extend_s),
        starts_at=starts_at, planned_end=planned_end, ends_at=ends_at,
        price_minor=price, created_at=created_at, updated_at=updated_at, last_event_id=last_event_id,
        phase=Phase(status),
        second_max_minor=second_max, bid_count=bid_count, bidder_count=bidder_count,
        leader=None if leader_id is None else _leader_of(who),
        closing=closing and Closing(closing),
        closing_by=closing_by and UserId(closing_by),
        closing_at=closing_at,
        winner_id=winner_id and UserId(winner_id),
        winner_hold_id=winner_hold_id and HoldId(winner_hold_id),
        sold_price_minor=sold_price,
        buyer_key=buyer_key,
        order_id=order_id and OrderId(order_id),
        closed_at=closed_at,
    )  # fmt: skip


def _leader_of(row: Row) -> Leader:
    user_id, ordinal, bid_id, max_minor, hold_id, raising = row
    return Leader(
        user_id=UserId(user_id),
        ordinal=ordinal,
        bid_id=BidId(bid_id),
        max_minor=max_minor,
        hold_id=HoldId(hold_id),
        raising=raising and BidId(raising),
    )


def _opened(a: Auction) -> tuple[Any, ...]:
    return (
        a.tenant_id, a.id, a.seller_id, a.product_id, a.title, a.category_id, a.currency, a.starting_price_minor,
        a.reserve_price_minor, a.buy_now_price_minor, str(a.steps), a.extend.total_seconds(), a.starts_at,
        a.planned_end, a.created_at,
    )  # fmt: skip


def _moves(a: Auction) -> tuple[Any, ...]:
    who = a.leader
    leader = (who.user_id, who.ordinal, who.bid_id, who.max_minor, who.hold_id, who.raising) if who else (None,) * 6
    return (
        a.ends_at, a.phase.value, a.price_minor, a.second_max_minor, a.bid_count, a.bidder_count, a.last_event_id,
        *leader, a.closing and a.closing.value, a.closing_by, a.closing_at, a.winner_id, a.winner_hold_id,
        a.sold_price_minor, a.buyer_key, a.order_id, a.closed_at, a.updated_at,
    )  # fmt: skip
