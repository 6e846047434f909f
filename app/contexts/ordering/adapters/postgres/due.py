"""What is half done, and what comes by itself, as recovery finds it."""

from collections.abc import Sequence
from typing import Final

from app.contexts.ordering.adapters.postgres.checkout_rows import CHECKOUT_COLUMNS, checkout_of
from app.contexts.ordering.adapters.postgres.order_rows import ORDER_COLUMNS, order_of
from app.contexts.ordering.application.closing_steps import Standing
from app.contexts.ordering.application.recover import Backlog, Due, Terms
from app.contexts.ordering.domain.checkout import reservation_of
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.platform.postgres.errors import reading
from app.platform.postgres.pipeline import Row, Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

# Ages and leases go by the database's clock alone. A lease that ends later than one would that began now is over: the
# clock has gone back. SKIP LOCKED: workers side by side take different ones.
_FREE: Final = """
    (recover_after IS NULL OR recover_after <= now()
        OR recover_after > clock_timestamp() + make_interval(secs => %b::float8))
"""
_LEASE: Final = "recover_after = clock_timestamp() + make_interval(secs => %b::float8)"

_TAKE_CHECKOUTS: Final = Statement(f"""
    UPDATE ordering.checkouts c SET {_LEASE}
    FROM (
        SELECT bucket, user_id, id FROM ordering.checkouts
        WHERE tenant_id = %b::uuid AND status = 'pending'
            AND created_at <= now() - make_interval(secs => %b::float8) AND {_FREE}
        ORDER BY created_at
        LIMIT %b::bigint
        FOR UPDATE SKIP LOCKED
    ) due
    WHERE c.bucket = due.bucket AND c.user_id = due.user_id AND c.id = due.id
    RETURNING {CHECKOUT_COLUMNS}
""")
_TAKE_CLOSINGS: Final = Statement(f"""
    UPDATE ordering.orders o SET {_LEASE}
    FROM (
        SELECT d.bucket, d.user_id, d.id, c.sale_context, c.sale_id, c.sale_name
        FROM ordering.orders d
        LEFT JOIN ordering.checkouts c ON c.bucket = d.bucket AND c.user_id = d.user_id AND c.id = d.checkout_id
        WHERE d.tenant_id = %b::uuid AND d.closing IS NOT NULL
            AND d.closing_at <= now() - make_interval(secs => %b::float8) AND {_FREE.replace("recover", "d.recover")}
        ORDER BY d.closing_at
        LIMIT %b::bigint
        FOR UPDATE OF d SKIP LOCKED
    ) due
    WHERE o.bucket = due.bucket AND o.user_id = due.user_id AND o.id = due.id
    RETURNING {ORDER_COLUMNS}, due.sale_context, due.sale_id, due.sale_name
""")
_TAKE_ORDERS: Final = """
    UPDATE ordering.orders o SET {lease}
    FROM (
        SELECT bucket, user_id, id FROM ordering.orders
        WHERE tenant_id = %b::uuid AND status = '{status}' AND closing IS NULL
            AND {since} <= now() - make_interval(days => 1) * %b::float8 AND {free}
        ORDER BY {since}
        LIMIT %b::bigint
        FOR UPDATE SKIP LOCKED
    ) due
    WHERE o.bucket = due.bucket AND o.user_id = due.user_id AND o.id = due.id
    RETURNING o.id
"""
_TAKE_NOT_SHIPPED, _TAKE_ARRIVED = (
    Statement(_TAKE_ORDERS.format(lease=_LEASE, free=_FREE, status=status, since=since))
    for status, since in (("paid", "paid_at"), ("shipped", "shipped_at"))
)
# Of the indexes of what is open alone: as many rows as are.
_AGE: Final = "coalesce(extract(epoch FROM clock_timestamp() - min({since})), 0)::float8"
_BACKLOG: Final = Statement(f"""
    SELECT checkouts.*, closings.* FROM
        (SELECT count(*), {_AGE.format(since="created_at")} FROM ordering.checkouts
         WHERE tenant_id = %b::uuid AND status = 'pending') checkouts,
        (SELECT count(*), {_AGE.format(since="closing_at")} FROM ordering.orders
         WHERE tenant_id = %b::uuid AND closing IS NOT NULL) closings
""")


class PostgresDue:
    """Leases what is due to recovery workers. It implements `DueBusiness`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def take(self, tenant_id: TenantId, terms: Terms) -> Due:
        """See `DueBusiness.take`."""
        lease_s, older_s, limit = terms.lease_s, terms.older_than_s, terms.limit
        longest_s = max(lease_s, older_s)
        half_done = lease_s, tenant_id, older_s, longest_s, limit
        checkouts, closings, not_shipped, arrived = await self._rows.run(
            tenant_id,
            (_TAKE_CHECKOUTS, half_done),
            (_TAKE_CLOSINGS, half_done),
            (_TAKE_NOT_SHIPPED, (lease_s, tenant_id, terms.ship_d, longest_s, limit)),
            (_TAKE_ARRIVED, (lease_s, tenant_id, terms.complete_d, longest_s, limit)),
        )
        return Due(
            list(map(checkout_of, checkouts)),
            list(map(_standing_of, closings)),
            [id_ for (id_,) in not_shipped],
            [id_ for (id_,) in arrived],
        )

    @reading
    async def backlog(self, tenants: Sequence[TenantId]) -> Backlog:
        """See `DueBusiness.backlog`."""
        found = [row for tenant in tenants for row in (await self._rows.run(tenant, (_BACKLOG, (tenant, tenant))))[0]]
        counts, ages, closings, closing_ages = zip(*found, strict=True) if found else ((), (), (), ())
        return Backlog(sum(counts), max(ages, default=0.0), sum(closings), max(closing_ages, default=0.0))


def _standing_of(row: Row) -> Standing:
    *columns, context, business_id, name = row
    order = order_of(tuple(columns))
    sale = None if business_id is None else OperationId(context, business_id, name)
    return Standing(order, sale or reservation_of(order.checkout_id))
