"""Payments and refunds in PostgreSQL, as they are read on `/v1`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from typing import Final
from uuid import UUID

from msgspec.json import encode

from app.contexts.payments.adapters.postgres.refund_rows import columns_of, refund_of
from app.contexts.payments.adapters.postgres.rows import PAYMENT_COLUMNS, payment_of
from app.contexts.payments.application.read_payments import Filter, Place, SeenPayment
from app.contexts.payments.domain.ids import PaymentId, RefundId
from app.contexts.payments.domain.refund import Refund
from app.kernel.principal import TenantId
from app.platform.postgres.pipeline import Row, Statement
from app.platform.postgres.reads import SharedReads

MOST: Final = 201
"""No more are asked for: a page of 200, and the one that tells whether there is another."""

_SEEN: Final = f"""
    SELECT {PAYMENT_COLUMNS}, (
        SELECT coalesce(sum(f.amount), 0)::bigint FROM payments.refunds f
        WHERE f.payment_id = p.id AND f.status = 'COMPLETED'
    )
"""
PAYMENT: Final = Statement(f"{_SEEN} FROM payments p WHERE p.id = %b::uuid")
REFUND: Final = Statement(f"SELECT {columns_of('f')} FROM payments.refunds f WHERE f.id = %b::uuid")
REFUNDS: Final = Statement(f"""
    SELECT {columns_of("f")} FROM payments.refunds f
    WHERE f.payment_id = %b::uuid AND (f.created_at, f.id) < (%b::timestamptz, %b::uuid)
    ORDER BY f.created_at DESC, f.id DESC LIMIT %b::bigint
""")

# A limit that stands in the text is one that the planner counts on, and walks an index for; see funds' pages. A user's
# payments are found by their transactions, which have their times; what is noted with one by its own index, whatever
# the planner knows of it.
_OF_A_USER: Final = f"""
    SELECT p.* FROM transactions t
    CROSS JOIN LATERAL (SELECT * FROM payments WHERE user_id = t.user_id AND id = t.payment_id OFFSET 0) p
    WHERE t.user_id = %b::uuid AND t.kind = 'PAYMENT' AND (t.created_at, t.id) < (%b::timestamptz, %b::uuid) {{more}}
    ORDER BY t.created_at DESC, t.id DESC LIMIT {MOST}
"""
_OF_A_TENANT: Final = f"""
    SELECT p.* FROM payments p
    WHERE p.tenant_id {{is_it}} AND (p.created_at, p.transaction_id) < (%b::timestamptz, %b::uuid) {{more}}
    ORDER BY p.created_at DESC, p.transaction_id DESC LIMIT {MOST}
"""
_NOTED: Final = f"""
    SELECT p.* FROM (SELECT * FROM payments WHERE metadata @> %b::text::jsonb OFFSET 0) p
    WHERE p.tenant_id {{is_it}} AND (p.created_at, p.transaction_id) < (%b::timestamptz, %b::uuid) {{more}}
    ORDER BY p.created_at DESC, p.transaction_id DESC LIMIT {MOST}
"""
_CONDITIONS: Final = {
    "status": "p.status = %b::text",
    "reference": 'p.external_reference COLLATE "C" = %b::text',
    "provider_id": "p.provider_id = %b::uuid",
    "since": "p.created_at >= %b::timestamptz",
    "until": "p.created_at < %b::timestamptz",
}
_BEFORE_ALL: Final = Place(datetime(9999, 12, 31, tzinfo=UTC), UUID(int=2**128 - 1))
"""No line is newer."""

_statement: Final = cache(Statement)
"""The statement of a text: there are as many as there are sets of filters."""

Source = tuple[str, tuple[object, ...]]
"""A query for payments in the order of a page, and its values."""


def page_of(
    tenants: Sequence[TenantId | None] | None, wanted: Filter, before: Place | None, limit: int
) -> tuple[Statement, Sequence[object]]:
    """The statement that reads a page; see `PaymentsReader.payments`."""
    at = before or _BEFORE_ALL
    if wanted.user_id is not None:
        sources = [_of_a_user(tenants, wanted, at)]
    else:
        sources = [_of_a_tenant(tenant, wanted, at) for tenant in tenants or ()]
    every = " UNION ALL ".join(f"({text})" for text, _ in sources)
    text = f"""
        {_SEEN} FROM (
            SELECT * FROM ({every}) e ORDER BY e.created_at DESC, e.transaction_id DESC LIMIT %b::bigint
        ) p ORDER BY p.created_at DESC, p.transaction_id DESC
    """
    return _statement(text), [*chain.from_iterable(values for _, values in sources), limit]


def _of_a_user(tenants: Sequence[TenantId | None] | None, wanted: Filter, at: Place) -> Source:
    more, values = _more(wanted)
    if wanted.metadata:
        more, values = f"{more} AND p.metadata @> %b::text::jsonb", (*values, _json(wanted))
    if tenants is not None:
        or_none = " OR p.tenant_id IS NULL" if None in tenants else ""
        more, values = f"{more} AND (p.tenant_id = %b::uuid{or_none})", (*values, *filter(None, tenants))
    return _OF_A_USER.format(more=more), (wanted.user_id, *at, *values)


def _of_a_tenant(tenant: TenantId | None, wanted: Filter, at: Place) -> Source:
    more, values = _more(wanted)
    whose = () if tenant is None else (tenant,)
    noted = (_json(wanted),) if wanted.metadata else ()
    text = _NOTED if wanted.metadata else _OF_A_TENANT
    return text.format(is_it="= %b::uuid" if whose else "IS NULL", more=more), (*noted, *whose, *at, *values)


def _more(wanted: Filter) -> Source:
    """What else is asked for, as conditions."""
    given = {name: value for name in _CONDITIONS if (value := getattr(wanted, name)) is not None}
    return " ".join(f"AND {_CONDITIONS[name]}" for name in given), tuple(given.values())


def _json(wanted: Filter) -> str:
    return encode(wanted.metadata).decode()


def _seen(row: Row) -> SeenPayment:
    *columns, refunded_minor = row
    return SeenPayment(payment_of(columns), refunded_minor)


class PostgresPayments:
    """Reads payments and refunds. It implements `PaymentsReader`."""

    def __init__(self, reads: SharedReads) -> None:
        self._reads = reads

    async def payment(self, payment_id: PaymentId) -> SeenPayment | None:
        """See `PaymentsReader.payment`."""
        (rows,) = await self._reads.read(payment_id, (PAYMENT, (payment_id,)))
        return _seen(rows[0]) if rows else None

    async def payments(
        self, tenants: Sequence[TenantId | None] | None, wanted: Filter, before: Place | None, limit: int
    ) -> Sequence[SeenPayment]:
        """See `PaymentsReader.payments`."""
        assert limit <= MOST
        owner = wanted.user_id or next(filter(None, tenants or ()))
        (rows,) = await self._reads.read(owner, page_of(tenants, wanted, before, limit))
        return list(map(_seen, rows))

    async def refunds(self, payment_id: PaymentId, before: Place | None, limit: int) -> Sequence[Refund]:
        """See `PaymentsReader.refunds`."""
        (rows,) = await self._reads.read(payment_id, (REFUNDS, (payment_id, *(before or _BEFORE_ALL), limit)))
        return list(map(refund_of, rows))

    async def refund(self, refund_id: RefundId) -> Refund | None:
        """See `PaymentsReader.refund`."""
        (rows,) = await self._reads.read(refund_id, (REFUND, (refund_id,)))
        return refund_of(rows[0]) if rows else None
