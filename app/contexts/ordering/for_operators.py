"""What operators do with orders from the command line: look."""

from uuid import UUID

from app.contexts.ordering.application.tell_order import OrderStory
from app.contexts.ordering.container import OrderingContainer
from app.contexts.ordering.domain.ids import OrderId
from app.platform.postgres.operator import with_pools
from app.platform.process.commands import Rooms


async def story_of(rooms: Rooms, tenant: str, order_id: UUID) -> OrderStory:
    """The story of an order of the tenant of that name.

    Raises:
        TenantUnknown, OrderUnknown: there is none.
        Unavailable: the orders, or the tenants, are out of reach.
        MigrationError: the schema is behind.
    """
    container: OrderingContainer = rooms.container("ordering")
    tenants, tell = container.tenants(), container.tell_order()

    async def told() -> OrderStory:
        return await tell((await tenants.called(tenant)).tenant_id, OrderId(order_id))

    return await with_pools(rooms.pools, container.database().url, told)
