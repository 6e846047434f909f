"""GET /webhooks, /webhooks/{tenant}/{id} and /webhooks/{tenant}/{id}/{delivery}: endpoints, deliveries, one's story."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.contexts.webhooks.application.ports import Deliveries, Endpoints, Place
from app.contexts.webhooks.application.tell_delivery import TellDelivery
from app.contexts.webhooks.domain.delivery import DeliveryStatus
from app.contexts.webhooks.domain.endpoint import MOST_OF_A_TENANT
from app.contexts.webhooks.domain.ids import DeliveryId, EndpointId
from app.platform.console.desk import Desk
from app.platform.console.visit import one_of, time_of, uuid_of, visit_of
from app.platform.http import queries
from app.platform.tenants import KnownTenants

PAGE: Final = 50
DEFAULT: Final = "default"
"""The tenant that there always is."""
_OF_ONE: Final = frozenset(("status", "before"))
_STATUSES: Final = [status.value for status in DeliveryStatus]


def webhooks(
    endpoints: Endpoints, deliveries: Deliveries, tell: TellDelivery, tenants: KnownTenants, desk: Desk
) -> Sequence[HTTPRouteHandler]:
    """Endpoints of a tenant, the deliveries of one, and what became of one of these."""

    @get("/webhooks")
    async def of_tenant(request: Request[Any, Any, Any]) -> ASGIApp:
        given = queries.parameters(request.scope["query_string"], frozenset(("tenant",)))
        tenant = await tenants.called(given.get("tenant") or DEFAULT)
        return desk.pages.page(
            "webhooks.html", visit_of(request), tenant=tenant, tenants=await tenants.all(),
            endpoints=await endpoints.page(tenant.tenant_id, None, MOST_OF_A_TENANT),
        )  # fmt: skip

    @get("/webhooks/{tenant:str}/{webhook:str}")
    async def of_one(request: Request[Any, Any, Any], tenant: FromPath[str], webhook: FromPath[str]) -> ASGIApp:
        given = queries.parameters(request.scope["query_string"], _OF_ONE)
        house, wanted = await tenants.called(tenant), EndpointId(uuid_of(webhook, "a webhook's id"))
        status = DeliveryStatus(one_of(given["status"], "the status", _STATUSES)) if given.get("status") else None
        before = _place(given["before"]) if given.get("before") else None
        endpoint = await tell.endpoint(house.tenant_id, wanted)
        found = await deliveries.page(house.tenant_id, wanted, status, before, PAGE + 1)
        last = found[PAGE - 1] if len(found) > PAGE else None
        now = datetime.now(UTC).replace(microsecond=0, second=0)
        return desk.pages.page(
            "webhook.html", visit_of(request), tenant=house, endpoint=endpoint, deliveries=found[:PAGE], status=status,
            statuses=_STATUSES, older=f"{last.created_at.isoformat()}_{last.id}" if last else None,
            first=before is None, since=now - timedelta(hours=1), until=now + timedelta(minutes=1),
        )  # fmt: skip

    @get("/webhooks/{tenant:str}/{webhook:str}/{delivery:str}")
    async def of_delivery(
        request: Request[Any, Any, Any], tenant: FromPath[str], webhook: FromPath[str], delivery: FromPath[str]
    ) -> ASGIApp:
        house, wanted = await tenants.called(tenant), EndpointId(uuid_of(webhook, "a webhook's id"))
        story = await tell(house.tenant_id, wanted, DeliveryId(uuid_of(delivery, "a delivery's id")))
        return desk.pages.page("webhook_delivery.html", visit_of(request), tenant=house, story=story)

    return [of_tenant, of_one, of_delivery]


def _place(text: str) -> Place:
    at, _, delivery_id = text.partition("_")
    return Place(time_of(at, "before"), uuid_of(delivery_id, "before"))
