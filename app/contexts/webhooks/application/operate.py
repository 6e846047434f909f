"""What operators do about webhooks, on record: have something sent again. No detail says whereto."""

from dataclasses import dataclass
from datetime import datetime

from app.contexts.webhooks.application.send_again import SendAgain
from app.contexts.webhooks.domain.ids import DeliveryId, EndpointId
from app.kernel.principal import TenantId
from app.platform.operations.actions import Actions, recorded


@dataclass(frozen=True, slots=True)
class OperateWebhooks:
    """Does it. Each raises what `SendAgain` does, and `NotRecorded` where nothing was done, or its end is not
    recorded."""

    send_again: SendAgain

    async def redeliver(
        self, actions: Actions, tenant_id: TenantId, endpoint_id: EndpointId, delivery_id: DeliveryId
    ) -> None:
        """Begin a delivery anew."""
        details = {"tenant_id": str(tenant_id), "webhook_id": str(endpoint_id), "delivery_id": str(delivery_id)}
        async with recorded(actions, "webhook redeliver", details):
            await self.send_again.redeliver(tenant_id, endpoint_id, delivery_id)

    async def replay(
        self, actions: Actions, tenant_id: TenantId, endpoint_id: EndpointId, since: datetime, until: datetime
    ) -> int:
        """Begin anew what happened in that time; how many deliveries that are."""
        details = {
            "tenant_id": str(tenant_id), "webhook_id": str(endpoint_id), "from": since.isoformat(),
            "to": until.isoformat(),
        }  # fmt: skip
        async with recorded(actions, "webhook replay", details) as outcome:
            count = await self.send_again.replay(tenant_id, endpoint_id, since, until)
            outcome["deliveries"] = count
        return count
