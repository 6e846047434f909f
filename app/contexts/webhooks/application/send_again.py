"""Have something sent: an event again, those of a time, or a test."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.contexts.webhooks.application.ports import SentAgain
from app.contexts.webhooks.domain.events import Arrived
from app.contexts.webhooks.domain.ids import DeliveryId, EndpointId
from app.kernel.ids import EventId
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId

MakeTest = Callable[[EventId, TenantId, EndpointId, datetime], Arrived]
"""Makes the event of a test, of that id."""
_BEFORE_ALL = EventId(UUID(int=0))


@dataclass(frozen=True, slots=True)
class SendAgain:
    """Has it sent. Each raises EndpointNotFound, EndpointDisabled, and Unavailable where it cannot be done now."""

    sent: SentAgain
    make_test: MakeTest
    ids: Ids

    async def redeliver(self, tenant_id: TenantId, endpoint_id: EndpointId, delivery_id: DeliveryId) -> None:
        """Begin a delivery anew, under the same event's id.

        Raises:
            DeliveryNotFound: the endpoint has none with that id.
        """
        await self.sent.one(tenant_id, endpoint_id, delivery_id)

    async def replay(self, tenant_id: TenantId, endpoint_id: EndpointId, since: datetime, until: datetime) -> int:
        """Begin anew what happened from `since` until before `until`, and add what is missing; how many that are.

        It is done a part at a time: what is done when it ends in between is done.
        """
        count, behind = 0, (since, _BEFORE_ALL)
        while True:
            part = await self.sent.some(tenant_id, endpoint_id, behind, until, self.ids)
            count += part.count
            if part.next is None:
                return count
            behind = part.next

    async def test(self, tenant_id: TenantId, endpoint_id: EndpointId) -> DeliveryId:
        """Send a test, whatever the endpoint asks for."""
        event_id, delivery_id = EventId(self.ids()), DeliveryId(self.ids())
        await self.sent.test(
            tenant_id, endpoint_id, lambda now: self.make_test(event_id, tenant_id, endpoint_id, now), delivery_id
        )
        return delivery_id
