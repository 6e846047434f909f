"""Orders of what was sold elsewhere, in PostgreSQL."""

from typing import Final

from app.contexts.ordering.adapters.postgres import checkout_rows, order_writes
from app.contexts.ordering.adapters.postgres.event_documents import OUTBOX, outbox_row
from app.contexts.ordering.application.sell import MakeSale
from app.contexts.ordering.domain.ids import OrderId
from app.kernel.ids import UserId
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.errors import reading, writing
from app.platform.postgres.pipeline import Call, Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

_FIND: Final = Statement("""
    SELECT o.id
    FROM ordering.checkouts c
    JOIN ordering.orders o ON o.bucket = c.bucket AND o.user_id = c.user_id AND o.checkout_id = c.id
    WHERE c.bucket = %b::smallint AND c.user_id = %b::uuid AND c.sale_id = %b::uuid AND c.sale_context = %b::text
        AND c.sale_name = %b::text AND c.tenant_id = %b::uuid
""")


class PostgresSales:
    """Implements `SaleBooks`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def find(self, tenant_id: TenantId, buyer: UserId, operation: OperationId) -> OrderId | None:
        """See `SaleBooks.find`."""
        (found,) = await self._rows.run(tenant_id, _find(tenant_id, buyer, operation))
        return OrderId(found[0][0]) if found else None

    @writing
    async def add(self, tenant_id: TenantId, buyer: UserId, operation: OperationId, sale: MakeSale) -> OrderId:
        """See `SaleBooks.add`."""
        find = _find(tenant_id, buyer, operation)
        async with self._rows.open(tenant_id) as transaction:
            (found,), now = await transaction.begin(find)
            if found:
                return OrderId(found[0][0])
            made = sale(now)
            (won,) = await transaction.read(checkout_rows.insert([made.checkout]))
            if not won:  # another was faster, and is committed
                (found,) = await transaction.read(find)
                return OrderId(found[0][0])
            await transaction.commit([order_writes.insert([made.order]), OUTBOX.insert([outbox_row(made.event)])])
        return made.order.id


def _find(tenant_id: TenantId, buyer: UserId, operation: OperationId) -> Call:
    of = operation.business_id, operation.context, operation.name
    return _FIND, (bucket_of(buyer), buyer, *of, tenant_id)
