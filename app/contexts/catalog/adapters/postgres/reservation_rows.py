"""Reservations as they are claimed, forbidden, refused, and locked once they were made."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

from app.contexts.catalog.application.stock_room import Happened, Record
from app.contexts.catalog.domain.ids import ProductId
from app.contexts.catalog.domain.refusals import OutOfStock, ReservationForbidden
from app.contexts.catalog.domain.reservation import Reservation
from app.contexts.catalog.public import Reserved, ReservedLine
from app.kernel.ids import UserId
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.pipeline import Call, Row, Statement, columns

# Sorted, so that two batches never wait for each other's operations crosswise. One that meets another's uncommitted one
# waits for it.
CLAIM: Final = Statement("""
    INSERT INTO catalog.reservations (tenant_id, bucket, business_id, context, name, fingerprint, forbidden, buyer_id,
                                      pinned, created_at)
    SELECT %b::uuid, r.bucket, r.business_id, r.context, r.name, r.fingerprint, r.fingerprint IS NULL, r.buyer_id,
           r.pinned, now()
    FROM unnest(%b::smallint[], %b::uuid[], %b::text[], %b::text[], %b::bytea[], %b::uuid[], %b::boolean[])
        AS r (bucket, business_id, context, name, fingerprint, buyer_id, pinned)
    ORDER BY r.bucket, r.business_id, r.context COLLATE "C", r.name COLLATE "C"
    ON CONFLICT (bucket, tenant_id, business_id, context, name) DO NOTHING
    RETURNING context, business_id, name
""")

# A statement of its own, behind the claim: the claim's snapshot cannot see the winner that it waited for. Lines are
# found along their key, which OFFSET 0 leaves no choice about.
RECORDS: Final = Statement("""
    SELECT r.context, r.business_id, r.name, r.fingerprint, r.refused::text,
           l.product_id, l.qty, l.seller_id, l.title, l.price, l.currency
    FROM unnest(%b::smallint[], %b::uuid[], %b::text[], %b::text[]) AS k (bucket, business_id, context, name)
    JOIN catalog.reservations r ON r.tenant_id = %b::uuid AND r.bucket = k.bucket AND r.business_id = k.business_id
        AND r.context = k.context AND r.name = k.name
    LEFT JOIN LATERAL (
        SELECT l.* FROM catalog.reservation_lines l
        WHERE l.tenant_id = r.tenant_id AND l.bucket = r.bucket AND l.business_id = r.business_id
            AND l.context = r.context AND l.name = r.name AND l.status <> 'RETURNED'
        OFFSET 0
    ) l ON true
    ORDER BY l.product_id
""")

REFUSE: Final = Statement("""
    UPDATE catalog.reservations r SET refused = k.refused::json
    FROM unnest(%b::smallint[], %b::uuid[], %b::text[], %b::text[], %b::text[])
        AS k (bucket, business_id, context, name, refused)
    WHERE r.tenant_id = %b::uuid AND r.bucket = k.bucket AND r.business_id = k.business_id AND r.context = k.context
        AND r.name = k.name
""")

# Each along its key, one after the other. The lock on a reservation is the one on all of its lines: nothing changes
# them without it.
LOCK: Final = Statement("""
    SELECT k.context, k.business_id, k.name, r.buyer_id
    FROM (
        SELECT *
        FROM unnest(%b::smallint[], %b::uuid[], %b::text[], %b::text[]) AS k (bucket, business_id, context, name)
        ORDER BY k.bucket, k.business_id, k.context COLLATE "C", k.name COLLATE "C"
    ) k
    CROSS JOIN LATERAL (
        SELECT r.buyer_id FROM catalog.reservations r
        WHERE r.tenant_id = %b::uuid AND r.bucket = k.bucket AND r.business_id = k.business_id
            AND r.context = k.context AND r.name = k.name
        FOR NO KEY UPDATE
    ) r
""")


def claim(tenant_id: TenantId, reservations: Sequence[Reservation]) -> Call:
    """The statement that claims the operations of reservations, each there once; `claimed` reads its rows."""
    rows = [(*key(r.operation), r.fingerprint, r.buyer, r.pinned) for r in reservations]
    return CLAIM, (tenant_id, *columns(rows))


def forbid(tenant_id: TenantId, operations: Collection[OperationId]) -> Call:
    """The statement that forbids operations that have not happened, each there once."""
    return CLAIM, (tenant_id, *columns([(*key(operation), None, None, False) for operation in operations]))


def claimed(rows: Sequence[Row]) -> frozenset[OperationId]:
    """The operations that are the batch's own, from the rows of a claim."""
    return frozenset(OperationId(*row) for row in rows)


def records(tenant_id: TenantId, operations: Collection[OperationId]) -> Call:
    """The statement that reads what is known of operations; `records_of` reads its rows."""
    return RECORDS, (*columns([key(operation) for operation in operations]), tenant_id)


def records_of(rows: Sequence[Row]) -> Mapping[OperationId, Record]:
    """What is known of operations."""
    lines: dict[OperationId, list[ReservedLine]] = {}
    known: dict[OperationId, tuple[bytes | None, str | None]] = {}
    for context, business_id, name, fingerprint, refused, product_id, *line in rows:
        of = OperationId(context, business_id, name)
        known[of] = fingerprint, refused
        if product_id is not None:
            lines.setdefault(of, []).append(ReservedLine(product_id, *line))
    return {of: Record(each, _happened(refused, lines.get(of))) for of, (each, refused) in known.items()}


def refuse(tenant_id: TenantId, refusals: Mapping[OperationId, OutOfStock]) -> Call:
    """The statement that notes what was out of stock."""
    rows = [(*key(of), json.dumps({str(p): n for p, n in each.available.items()})) for of, each in refusals.items()]
    return REFUSE, (*columns(rows), tenant_id)


def lock(tenant_id: TenantId, operations: Collection[OperationId]) -> Call:
    """The statement that locks reservations; `buyers_of` reads its rows."""
    return LOCK, (*columns([key(operation) for operation in operations]), tenant_id)


def buyers_of(rows: Sequence[Row]) -> Mapping[OperationId, UserId | None]:
    """For whom they were made."""
    return {OperationId(context, business_id, name): buyer for context, business_id, name, buyer in rows}


def key(of: OperationId) -> tuple[int, UUID, str, str]:
    """An operation as its columns have it: bucket, business, context and name."""
    return bucket_of(of.business_id), of.business_id, of.context, of.name


def _happened(refused: str | None, lines: Sequence[ReservedLine] | None) -> Happened:
    if refused is not None:
        return OutOfStock({ProductId(UUID(product)): available for product, available in json.loads(refused).items()})
    return Reserved(lines) if lines else ReservationForbidden()
