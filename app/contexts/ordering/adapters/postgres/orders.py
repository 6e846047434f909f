"""Orders in PostgreSQL, as they are read."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from app.contexts.ordering.adapters.postgres.order_rows import ORDER_COLUMNS, order_of
from app.contexts.ordering.application.ports import Place, Side
from app.contexts.ordering.domain.ids import OrderId
from app.contexts.ordering.domain.order import Order
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.postgres.errors import reading
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

ONE: Final = Statement(f"""
    SELECT {ORDER_COLUMNS} FROM ordering.orders o WHERE o.tenant_id = %b::uuid AND o.id = %b::uuid
""")
_BEHIND: Final = "(o.created_at, o.id) < (%b::timestamptz, %b::uuid)"
_NEWEST: Final = "ORDER BY o.created_at DESC, o.id DESC LIMIT %b::bigint"
_PAGE: Final = f"FROM ordering.orders o WHERE o.tenant_id = %b::uuid AND {{}} {_BEHIND} {_NEWEST}"
_BOUGHT, _SOLD = (_PAGE.format(f"o.{side} = %b::uuid AND") for side in ("user_id", "seller_id"))

BOUGHT: Final = Statement(f"SELECT {ORDER_COLUMNS} {_BOUGHT}")
SOLD: Final = Statement(f"SELECT {ORDER_COLUMNS} {_SOLD}")
ALL: Final = Statement(f"SELECT {ORDER_COLUMNS} {_PAGE.format('')}")
# The newest of each side, along its index, and of those the newest: nobody is on both sides of one.
EITHER: Final = Statement(f"""
    SELECT {ORDER_COLUMNS} FROM ((SELECT o.* {_BOUGHT}) UNION ALL (SELECT o.* {_SOLD})) o {_NEWEST}
""")

_BEFORE_ALL: Final = Place(datetime(9999, 12, 31, tzinfo=UTC), OrderId(UUID(int=2**128 - 1)))
"""No order is newer."""


class PostgresOrders:
    """Implements `Orders`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def one(self, tenant_id: TenantId, order_id: OrderId) -> Order | None:
        """See `Orders.one`."""
        (rows,) = await self._rows.run(tenant_id, (ONE, (tenant_id, order_id)))
        return order_of(rows[0]) if rows else None

    @reading
    async def of(
        self, tenant_id: TenantId, user_id: UserId, side: Side | None, before: Place | None, limit: int
    ) -> Sequence[Order]:
        """See `Orders.of`."""
        page = (tenant_id, user_id, *(before or _BEFORE_ALL), limit)
        call = {
            Side.BUYER: (BOUGHT, page),
            Side.SELLER: (SOLD, page),
            None: (EITHER, (*page, *page, limit)),
        }[side]
        (rows,) = await self._rows.run(tenant_id, call)
        return list(map(order_of, rows))

    @reading
    async def all(self, tenant_id: TenantId, before: Place | None, limit: int) -> Sequence[Order]:
        """See `Orders.all`."""
        (rows,) = await self._rows.run(tenant_id, (ALL, (tenant_id, *(before or _BEFORE_ALL), limit)))
        return list(map(order_of, rows))
