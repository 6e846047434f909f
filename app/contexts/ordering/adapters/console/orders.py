"""GET /orders and /orders/{tenant}/{order_id}."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.contexts.ordering.application.ports import Orders, Place
from app.contexts.ordering.application.read_orders import page_of
from app.contexts.ordering.application.tell_order import TellOrder
from app.contexts.ordering.domain.ids import OrderId
from app.kernel.ids import UserId
from app.platform.console.desk import Desk
from app.platform.console.visit import time_of, uuid_of, visit_of
from app.platform.http import queries
from app.platform.tenants import DEFAULT, KnownTenants

PAGE: Final = 50
_LIST: Final = frozenset(("tenant", "user", "before"))


def orders(read: Orders, tenants: KnownTenants, tell: TellOrder, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """Orders: the newest of a tenant or of one of its users, and one."""

    @get("/orders")
    async def newest(request: Request[Any, Any, Any]) -> ASGIApp:
        given = queries.parameters(request.scope["query_string"], _LIST)
        tenant = await tenants.called(given.get("tenant") or DEFAULT)
        user = UserId(uuid_of(given["user"], "a user's id")) if given.get("user") else None
        before = _place(given["before"]) if given.get("before") else None
        if user is None:
            found = await read.all(tenant.tenant_id, before, PAGE + 1)
        else:
            found = await read.of(tenant.tenant_id, user, None, before, PAGE + 1)
        page = page_of(found, PAGE)
        older = f"{page.next.at.isoformat()}_{page.next.id}" if page.next else None
        return desk.pages.page(
            "orders.html", visit_of(request), orders=page.orders, tenant=tenant, tenants=await tenants.all(),
            user=user, older=older, first=before is None,
        )  # fmt: skip

    @get("/orders/{tenant:str}/{order_id:str}")
    async def one(request: Request[Any, Any, Any], tenant: FromPath[str], order_id: FromPath[str]) -> ASGIApp:
        house, wanted = await tenants.called(tenant), OrderId(uuid_of(order_id, "an order's id"))
        story = await tell(house.tenant_id, wanted)
        return desk.pages.page("order.html", visit_of(request), story=story, order=story.order, tenant=house)

    return [newest, one]


async def page_of_an_order(read: Orders, tenants: KnownTenants, wanted: UUID) -> str | None:
    """The path of the page of the order with that id, if some tenant has one. Raises Unavailable."""
    for house in await tenants.all():
        if await read.one(house.tenant_id, OrderId(wanted)):
            return f"/orders/{house.name}/{wanted}"
    return None


def _place(text: str) -> Place:
    at, _, order_id = text.partition("_")
    return Place(time_of(at, "before"), OrderId(uuid_of(order_id, "before")))
