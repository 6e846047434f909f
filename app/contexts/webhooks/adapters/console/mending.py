"""POST /webhooks/{tenant}/{id}/…: sending an event again, and those of a time."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from litestar import Request, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.contexts.webhooks.application.operate import OperateWebhooks
from app.contexts.webhooks.domain.ids import DeliveryId, EndpointId
from app.contexts.webhooks.domain.refusals import EndpointDisabled
from app.platform.console.desk import Desk
from app.platform.console.errors import Rejected
from app.platform.console.pages import redirect
from app.platform.console.visit import time_of, uuid_of, visit_of
from app.platform.tenants import KnownTenants


def mending(operate: OperateWebhooks, tenants: KnownTenants, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """What operators do about webhooks."""

    @post("/webhooks/{tenant:str}/{webhook:str}/redeliver")
    async def redeliver(request: Request[Any, Any, Any], tenant: FromPath[str], webhook: FromPath[str]) -> ASGIApp:
        visit = visit_of(request)
        delivery_id = DeliveryId(uuid_of(visit.value("id"), "a delivery's id"))
        house, wanted = await tenants.called(tenant), EndpointId(uuid_of(webhook, "a webhook's id"))
        try:
            record = desk.services.record_of(visit.operator)
            await operate.redeliver(record, house.tenant_id, wanted, delivery_id)
        except EndpointDisabled as refusal:
            raise Rejected(409, str(refusal)) from None
        return redirect(f"/webhooks/{quote(house.name)}/{wanted}/{delivery_id}")

    @post("/webhooks/{tenant:str}/{webhook:str}/replay")
    async def replay(request: Request[Any, Any, Any], tenant: FromPath[str], webhook: FromPath[str]) -> ASGIApp:
        visit = visit_of(request)
        since, until = time_of(visit.value("from"), "from"), time_of(visit.value("to"), "to")
        if until <= since:
            raise Rejected(400, "to must be later than from")
        house, wanted = await tenants.called(tenant), EndpointId(uuid_of(webhook, "a webhook's id"))
        try:
            await operate.replay(desk.services.record_of(visit.operator), house.tenant_id, wanted, since, until)
        except EndpointDisabled as refusal:
            raise Rejected(409, str(refusal)) from None
        return redirect(f"/webhooks/{quote(house.name)}/{wanted}")

    return [redeliver, replay]
