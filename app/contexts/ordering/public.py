"""All that other contexts may know of orders."""

from typing import Protocol

from app.contexts.catalog.public import ReservedLine
from app.contexts.funds.public import HoldRef
from app.contexts.ordering.domain.ids import OrderId
from app.kernel.ids import UserId
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId


class Sales(Protocol):
    """Makes orders of what was sold elsewhere, and not out of a cart."""

    async def order_from_sale(
        self, operation: OperationId, tenant_id: TenantId, buyer: UserId, line: ReservedLine, hold: HoldRef
    ) -> OrderId:
        """An order, paid by the hold, of what was taken from the stock. The same again is the same order.

        Raises:
            ValueError: its seller is its buyer, who would have nobody to pay.
            Unavailable: nobody knows whether it happened; the same again tells.
        """
        ...

    async def order_of(self, operation: OperationId, tenant_id: TenantId, buyer: UserId) -> OrderId | None:
        """The order of the sale, if it was made. Its money and its piece are its own from then on: it may be cancelled
        by now, and they are where they were before.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...

    async def shown(self, tenant_id: TenantId, order_id: OrderId) -> bytes:
        """The order as `/v1/orders` answers with it: its JSON, as it stands.

        Raises:
            LookupError: the tenant has none with that id.
            Unavailable: it cannot be known now.
        """
        ...


__all__ = ["OrderId", "Sales"]
