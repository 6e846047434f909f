"""Rows of entries, and of the lines of the ledger that say what became of them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from app.contexts.rewards.adapters.postgres.user_rows import keys
from app.contexts.rewards.application.books import AT_MOST
from app.contexts.rewards.domain.entry import Entry, Kind, Line
from app.contexts.rewards.domain.ids import EntryId, LineId, PurchaseId, RefundId, RuleId
from app.contexts.rewards.domain.sale import Source
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.pipeline import Call, Row, Statement, columns

ENTRY_COLUMNS: Final = """
    e.tenant_id, e.user_id, e.id, e.purchase_id, e.rule_id, e.source, e.merchant, e.reference, e.amount, e.reversed,
    e.accrued, e.minting, e.minted, e.attempt, e.told, e.created_at
"""

# Of those whose address is known only what failed again and again is there: what is accrued is asked for at once. Who
# has no address may have accrued more than goes at once.
OPEN: Final = Statement(f"""
    SELECT {ENTRY_COLUMNS}
    FROM unnest(%b::smallint[], %b::uuid[], %b::boolean[]) AS k (bucket, user_id, whole)
    JOIN rewards.users u ON u.bucket = k.bucket AND u.tenant_id = %b::uuid AND u.user_id = k.user_id
    CROSS JOIN LATERAL (
        SELECT * FROM rewards.entries o
        WHERE o.bucket = k.bucket AND o.user_id = k.user_id AND o.is_open AND o.tenant_id = u.tenant_id
            AND (k.whole OR u.address IS NOT NULL)
        ORDER BY o.created_at LIMIT %b::bigint
    ) e
""")
# As many of the oldest as pay a debt of so much, whatever there is besides.
COVERING: Final = Statement(f"""
    SELECT {ENTRY_COLUMNS}
    FROM unnest(%b::smallint[], %b::uuid[], %b::text[]) AS k (bucket, user_id, owed)
    CROSS JOIN LATERAL (
        SELECT *, sum(o.accrued) OVER (ORDER BY o.created_at, o.id ROWS UNBOUNDED PRECEDING) - o.accrued AS before
        FROM rewards.entries o
        WHERE o.bucket = k.bucket AND o.user_id = k.user_id AND o.is_open AND o.tenant_id = %b::uuid
    ) e
    WHERE e.before < k.owed::numeric
""")
BY_ID: Final = Statement(f"""
    SELECT {ENTRY_COLUMNS}
    FROM unnest(%b::smallint[], %b::uuid[]) AS k (bucket, user_id)
    JOIN rewards.entries e ON e.bucket = k.bucket AND e.user_id = k.user_id AND e.id = ANY(%b::uuid[])
        AND e.tenant_id = %b::uuid
""")
INSERT: Final = Statement("""
    INSERT INTO rewards.entries (bucket, tenant_id, user_id, id, purchase_id, rule_id, source, merchant, reference,
        amount, reversed, accrued, minting, minted, attempt, told, created_at)
    SELECT r.bucket, r.tenant_id, r.user_id, r.id, r.purchase_id, r.rule_id, r.source, r.merchant, r.reference,
        r.amount::numeric, r.reversed::numeric, r.accrued::numeric, r.minting::numeric, r.minted::numeric, r.attempt,
        r.told, r.created_at
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::text[],
                %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[], %b::bigint[],
                %b::timestamptz[])
        AS r (bucket, tenant_id, user_id, id, purchase_id, rule_id, source, merchant, reference, amount, reversed,
              accrued, minting, minted, attempt, told, created_at)
""")
UPDATE: Final = Statement("""
    UPDATE rewards.entries e
    SET reversed = r.reversed::numeric, accrued = r.accrued::numeric, minting = r.minting::numeric,
        minted = r.minted::numeric, attempt = r.attempt, told = r.told
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[],
                %b::bigint[])
        AS r (bucket, user_id, id, reversed, accrued, minting, minted, attempt, told)
    WHERE e.bucket = r.bucket AND e.user_id = r.user_id AND e.id = r.id AND e.tenant_id = %b::uuid
""")
APPEND: Final = Statement("""
    INSERT INTO rewards.cashback_ledger (bucket, tenant_id, user_id, id, entry_id, kind, amount, owed, refund_id,
        request_id, tx_hash, reason, created_at)
    SELECT r.bucket, r.tenant_id, r.user_id, r.id, r.entry_id, r.kind, r.amount::numeric, r.owed::numeric, r.refund_id,
        r.request_id, r.tx_hash, r.reason, r.created_at
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::text[],
                %b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::timestamptz[])
        AS r (bucket, tenant_id, user_id, id, entry_id, kind, amount, owed, refund_id, request_id, tx_hash, reason,
              created_at)
""")

LINE_COLUMNS: Final = """
    l.id, l.entry_id, l.kind, l.amount, l.created_at, l.owed, l.refund_id, l.request_id, l.tx_hash, l.reason
"""
"""Of a line, as `line_of` reads them; the table is `l`."""


def read_open(tenant_id: TenantId, users: Collection[UserId], all_of: Collection[UserId]) -> Call:
    """The statement that reads what is accrued and may change with its users: all of those, and of the others what is
    theirs to be minted; of each the oldest `AT_MOST`. `entry_of` reads its rows."""
    return OPEN, (*keys(users), [user_id in all_of for user_id in users], tenant_id, AT_MOST)


def read_covering(tenant_id: TenantId, debts: Mapping[UserId, int]) -> Call:
    """The statement that reads what is accrued and pays those debts, as far as it does. `entry_of` reads its rows."""
    return COVERING, (*keys(debts), [str(owed) for owed in debts.values()], tenant_id)


def read(tenant_id: TenantId, users: Collection[UserId], entries: Collection[EntryId]) -> Call:
    """The statement that reads entries of the users; `entry_of` reads its rows."""
    return BY_ID, (*keys(users), list(entries), tenant_id)


def insert(entries: Sequence[Entry]) -> Call:
    """The statement that writes new entries."""
    return INSERT, columns([
        (
            bucket_of(e.user_id), e.tenant_id, e.user_id, e.id, e.purchase_id, e.rule_id, e.source.value, e.merchant,
            e.reference, *map(str, (e.amount, e.reversed, e.accrued, e.minting, e.minted)), e.attempt, e.told,
            e.created_at,
        )
        for e in entries
    ])  # fmt: skip


def update(tenant_id: TenantId, entries: Sequence[Entry]) -> Call:
    """The statement that writes entries as they are now. Their users are locked."""
    rows = [
        (
            bucket_of(e.user_id), e.user_id, e.id, *map(str, (e.reversed, e.accrued, e.minting, e.minted)), e.attempt,
            e.told,
        )
        for e in entries
    ]  # fmt: skip
    return UPDATE, (*columns(rows), tenant_id)


def append(tenant_id: TenantId, lines: Sequence[tuple[UserId, Line]]) -> Call:
    """The statement that appends users' lines to the ledger."""
    return APPEND, columns([
        (
            bucket_of(user_id), tenant_id, user_id, n.id, n.entry_id, n.kind.value, str(n.amount), str(n.owed),
            n.refund_id, n.request_id, n.tx_hash, n.reason, n.at,
        )
        for user_id, n in lines
    ])  # fmt: skip


def entry_of(row: Row) -> Entry:
    """The entry in a row."""
    (
        tenant_id, user_id, id_, purchase_id, rule_id, source, merchant, reference, amount, reversed_, accrued, minting,
        minted, attempt, told, created_at,
    ) = row  # fmt: skip
    return Entry(
        id=EntryId(id_),
        tenant_id=TenantId(tenant_id),
        user_id=UserId(user_id),
        purchase_id=PurchaseId(purchase_id),
        rule_id=RuleId(rule_id),
        source=Source(source),
        merchant=merchant,
        reference=reference,
        amount=int(amount),
        reversed=int(reversed_),
        accrued=int(accrued),
        minting=int(minting),
        minted=int(minted),
        attempt=attempt,
        told=told,
        created_at=created_at,
    )


def line_of(row: Row) -> Line:
    """The line in a row of `LINE_COLUMNS`."""
    id_, entry_id, kind, amount, at, owed, refund_id, request_id, tx_hash, reason = row
    return Line(
        id=LineId(id_),
        entry_id=EntryId(entry_id),
        kind=Kind(kind),
        amount=int(amount),
        at=at,
        owed=int(owed),
        refund_id=refund_id and RefundId(refund_id),
        request_id=request_id,
        tx_hash=tx_hash,
        reason=reason,
    )
