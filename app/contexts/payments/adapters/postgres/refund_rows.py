"""How rows of refunds become what the use cases know, and the other way round."""

from collections.abc import Sequence
from typing import Any, Final

from app.contexts.payments.domain.ids import PaymentId, RefundId
from app.contexts.payments.domain.refund import Refund, RefundStatus
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import ONE_BY_ONE, bucket_of
from app.platform.postgres.pipeline import Call, Statement, columns

_COLUMNS: Final = (
    "id", "payment_id", "user_id", "tenant_id", "asked_by", "idempotency_key", "amount", "currency", "reason",
    "created_at", "status", "failure_code", "finalized_at", "traceparent",
)  # fmt: skip

LOCK: Final = Statement(f"""
    SELECT {", ".join(f"f.{name}" for name in _COLUMNS)}
    FROM payments.refunds f
    WHERE (f.bucket, f.user_id, f.id) IN (SELECT * FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[]))
    ORDER BY f.bucket, f.user_id, f.id
    FOR UPDATE OF f
""")
# Behind the locks of the payments, which every promise takes, none is missed. One by one: of a join the planner may
# think that it has to read the table through.
PROMISED: Final = Statement("""
    SELECT r.id, (
        SELECT coalesce(sum(f.amount), 0)::bigint FROM payments.refunds f
        WHERE f.payment_id = r.id AND f.status <> 'REFUSED'
    )
    FROM unnest(%b::uuid[]) AS r (id)
""")
INSERT: Final = Statement("""
    INSERT INTO payments.refunds (bucket, tenant_id, user_id, id, payment_id, asked_by, idempotency_key, amount,
        currency, reason, status, traceparent, created_at)
    SELECT * FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[],
                         %b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[], %b::timestamptz[])
""")
# What is PENDING has no final time: a final one stays as it is, whoever means to write it.
SETTLE: Final = Statement(f"""
    UPDATE payments.refunds f
    SET status = r.status, failure_code = r.failure_code, finalized_at = r.finalized_at
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::timestamptz[])
        AS r (bucket, user_id, id, status, failure_code, finalized_at)
    WHERE {ONE_BY_ONE} AND f.bucket = r.bucket AND f.user_id = r.user_id AND f.id = r.id AND f.finalized_at IS NULL
""")


def columns_of(table: str) -> str:
    """The columns that `refund_of` reads, of the table by that name."""
    return ", ".join(f"{table}.{name}" for name in _COLUMNS)


def refund_of(row: Sequence[Any]) -> Refund:
    """The refund of a row of `columns_of`. What was stored is not checked again, but for its amount."""
    return Refund(
        id=RefundId(row[0]),
        payment_id=PaymentId(row[1]),
        user_id=UserId(row[2]),
        tenant_id=TenantId(row[3]),
        asked_by=row[4],
        idempotency_key=row[5],
        money=Money(row[6], Currency(row[7])),
        reason=row[8],
        created_at=row[9],
        status=RefundStatus(row[10]),
        failure_code=row[11],
        finalized_at=row[12],
        traceparent=row[13],
    )


def lock(refunds: Sequence[Refund]) -> Call:
    """The statement that locks the refunds; `refund_of` reads its rows."""
    return LOCK, columns([(bucket_of(f.user_id), f.user_id, f.id) for f in refunds])


def promised(payments: Sequence[PaymentId]) -> Call:
    """The statement that tells what of each payment is given back or promised."""
    return PROMISED, (list(payments),)


def insert(refunds: Sequence[Refund]) -> Call:
    """The statement that writes new refunds."""
    return INSERT, columns([
        (
            bucket_of(f.user_id), f.tenant_id, f.user_id, f.id, f.payment_id, f.asked_by, f.idempotency_key,
            f.money.amount_minor, f.money.currency, f.reason, f.status.value, f.traceparent, f.created_at,
        )
        for f in refunds
    ])  # fmt: skip


def settle(refunds: Sequence[Refund]) -> Call:
    """The statement that writes the end of refunds, each of which is locked."""
    return SETTLE, columns([
        (bucket_of(f.user_id), f.user_id, f.id, f.status.value, f.failure_code, f.finalized_at) for f in refunds
    ])  # fmt: skip
