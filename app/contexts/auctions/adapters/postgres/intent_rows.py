"""Rows of intents, and of holds that go back."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from app.contexts.auctions.domain.ids import AuctionId, BidId
from app.contexts.auctions.domain.intent import Intent, Kind, Return
from app.contexts.funds.public import HoldId, HoldRef
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import ONE_BY_ONE, bucket_of
from app.platform.postgres.pipeline import Call, Row, Statement, columns

INTENT_COLUMNS: Final = """
    i.tenant_id, i.auction_id, i.id, i.user_id, i.key, i.kind, i.amount, i.max_amount, i.hold_id, i.status,
    i.traceparent, i.created_at, i.currency
"""
"""Of an intent, as `intent_of` reads them; the table is `i`."""
RETURN_COLUMNS: Final = "b.tenant_id, b.auction_id, b.hold_id, b.user_id, b.currency"
"""Of a hold that goes back, as `return_of` reads them; the table is `b`."""

# Whoever changes one has its auction locked.
READ: Final = Statement(f"""
    SELECT {INTENT_COLUMNS}
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[]) AS r (bucket, auction_id, id)
    CROSS JOIN LATERAL (
        SELECT * FROM auctions.intents i
        WHERE i.bucket = r.bucket AND i.auction_id = r.auction_id AND i.id = r.id AND i.tenant_id = %b::uuid
        OFFSET 0
    ) i
""")
_INSERT: Final = Statement("""
    INSERT INTO auctions.intents (bucket, tenant_id, auction_id, id, user_id, key, kind, amount, max_amount, hold_id,
        status, traceparent, created_at, currency)
    SELECT * FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::text[],
                         %b::bigint[], %b::bigint[], %b::uuid[], %b::text[], %b::text[], %b::timestamptz[], %b::text[])
""")
_UPDATE: Final = Statement(f"""
    UPDATE auctions.intents i SET kind = r.kind, hold_id = r.hold_id, status = r.status
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::text[], %b::uuid[], %b::text[])
        AS r (bucket, auction_id, id, kind, hold_id, status)
    WHERE {ONE_BY_ONE}
        AND i.bucket = r.bucket AND i.auction_id = r.auction_id AND i.id = r.id AND i.tenant_id = %b::uuid
""")
_DELETE: Final = f"""
    DELETE FROM auctions.{{table}} d USING unnest(%b::smallint[], %b::uuid[], %b::uuid[]) AS r (bucket, auction_id, id)
    WHERE {ONE_BY_ONE}
        AND d.bucket = r.bucket AND d.auction_id = r.auction_id AND d.{{id}} = r.id AND d.tenant_id = %b::uuid
"""
_END: Final = Statement(_DELETE.format(table="intents", id="id"))
_RETURNED: Final = Statement(_DELETE.format(table="returns", id="hold_id"))
_RETURN: Final = Statement("""
    INSERT INTO auctions.returns (bucket, tenant_id, auction_id, hold_id, user_id, currency, created_at)
    SELECT r.*, clock_timestamp()
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[]) AS r
""")


def read(tenant_id: TenantId, intents: Collection[tuple[AuctionId, BidId]]) -> Call:
    """The statement that reads intents; `intent_of` reads a row."""
    keys = [(bucket_of(auction_id), auction_id, id_) for auction_id, id_ in intents]
    return READ, (*_columns(keys, 3), tenant_id)


def insert(intents: Iterable[Intent]) -> Call:
    """The statement that writes new intents."""
    return _INSERT, columns([
        (
            bucket_of(i.auction_id), i.tenant_id, i.auction_id, i.id, i.bidder, i.key, i.kind.value, i.amount_minor,
            i.max_minor, i.raised, _status(i), i.traceparent, i.created_at, i.currency,
        )
        for i in intents
    ])  # fmt: skip


def update(tenant_id: TenantId, intents: Iterable[Intent]) -> Call:
    """The statement that writes intents as they are now."""
    rows = [(bucket_of(i.auction_id), i.auction_id, i.id, i.kind.value, i.raised, _status(i)) for i in intents]
    return _UPDATE, (*columns(rows), tenant_id)


def end(tenant_id: TenantId, intents: Iterable[Intent]) -> Call:
    """The statement that consumes intents."""
    return _END, (*columns([(bucket_of(i.auction_id), i.auction_id, i.id) for i in intents]), tenant_id)


def give_back(returns: Sequence[Return]) -> Call:
    """The statement that notes holds to be released."""
    return _RETURN, columns([
        (bucket_of(r.auction_id), r.tenant_id, r.auction_id, r.hold.id, r.hold.owner, r.hold.currency) for r in returns
    ])  # fmt: skip


def returned(tenant_id: TenantId, returns: Sequence[Return]) -> Call:
    """The statement that strikes out those that are released."""
    return _RETURNED, (*columns([(bucket_of(r.auction_id), r.auction_id, r.hold.id) for r in returns]), tenant_id)


def intent_of(row: Row) -> Intent:
    """The intent in a row of `INTENT_COLUMNS`."""
    (
        tenant_id, auction_id, id_, user_id, key, kind, amount, max_amount, hold_id, status, traceparent, created_at,
        currency,
    ) = row  # fmt: skip
    return Intent(
        id=BidId(id_),
        tenant_id=TenantId(tenant_id),
        auction_id=AuctionId(auction_id),
        currency=Currency(currency),
        bidder=UserId(user_id),
        key=key,
        kind=Kind(kind),
        amount_minor=amount,
        max_minor=max_amount,
        created_at=created_at,
        raised=hold_id and HoldId(hold_id),
        is_undoing=status == _UNDOING,
        traceparent=traceparent,
    )


def return_of(row: Row) -> Return:
    """The hold that goes back in a row of `RETURN_COLUMNS`."""
    tenant_id, auction_id, hold_id, user_id, currency = row
    hold = HoldRef(UserId(user_id), Currency(currency), HoldId(hold_id))
    return Return(TenantId(tenant_id), AuctionId(auction_id), hold)


_OPEN: Final = "open"
_UNDOING: Final = "undoing"


def _status(intent: Intent) -> str:
    return _UNDOING if intent.is_undoing else _OPEN


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> Sequence[Sequence[Any]]:
    return columns(rows) if rows else [()] * count
