"""What operators do about webhooks from the command line: look, and have something sent again."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

from app.contexts.webhooks.application.tell_delivery import DeliveryStory
from app.contexts.webhooks.container import WebhooksContainer
from app.contexts.webhooks.domain.delivery import Delivery, DeliveryStatus
from app.contexts.webhooks.domain.endpoint import MOST_OF_A_TENANT, Endpoint
from app.contexts.webhooks.domain.ids import DeliveryId, EndpointId
from app.kernel.principal import TenantId
from app.platform.postgres.operator import actions, with_pools
from app.platform.process.commands import Rooms
from app.platform.process.settings import Settings

T = TypeVar("T")

# Each raises TenantUnknown, what the use cases raise, `Unavailable`, and `MigrationError` where the schema is behind.


async def endpoints_of(rooms: Rooms, tenant: str) -> Sequence[Endpoint]:
    """The webhooks of the tenant of that name, newest first."""
    return await _done(rooms, tenant, lambda c, id_: c.endpoints().page(id_, None, MOST_OF_A_TENANT))


async def deliveries_of(
    rooms: Rooms, tenant: str, endpoint_id: EndpointId, status: str | None, limit: int
) -> Sequence[Delivery]:
    """What was sent, and is to be sent, to one of them."""

    async def read(container: WebhooksContainer, tenant_id: TenantId) -> Sequence[Delivery]:
        await container.tell().endpoint(tenant_id, endpoint_id)
        wanted = None if status is None else DeliveryStatus(status)
        return await container.deliveries().page(tenant_id, endpoint_id, wanted, None, limit)

    return await _done(rooms, tenant, read)


async def story_of(rooms: Rooms, tenant: str, endpoint_id: EndpointId, delivery_id: DeliveryId) -> DeliveryStory:
    """What became of one delivery."""
    return await _done(rooms, tenant, lambda c, id_: c.tell()(id_, endpoint_id, delivery_id))


async def redelivered(rooms: Rooms, tenant: str, endpoint_id: EndpointId, delivery_id: DeliveryId) -> None:
    """Have it sent again, on record."""
    await _done(rooms, tenant, lambda c, id_: c.operate().redeliver(actions(_trail(c)), id_, endpoint_id, delivery_id))


async def replayed(rooms: Rooms, tenant: str, endpoint_id: EndpointId, since: datetime, until: datetime) -> int:
    """Have what happened in that time sent again, on record; how many deliveries that are."""
    return await _done(
        rooms, tenant, lambda c, id_: c.operate().replay(actions(_trail(c)), id_, endpoint_id, since, until)
    )


def _trail(container: WebhooksContainer) -> str:
    settings: Settings = container.platform.settings()
    return settings.consumers_url


async def _done(rooms: Rooms, tenant: str, act: Callable[[WebhooksContainer, TenantId], Awaitable[T]]) -> T:
    container: WebhooksContainer = rooms.container("webhooks")
    tenants = container.tenants()
    _ = container.endpoints(), container.deliveries(), container.operate()  # whose pools are opened below

    async def done() -> T:
        return await act(container, (await tenants.called(tenant)).tenant_id)

    return await with_pools(rooms.pools, container.database().url, done)
