"""GET /machines."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from app.contexts.identity.application.look_up import LookUp
from app.contexts.identity.application.read_machines import Machines, read_machines
from app.contexts.identity.domain.client_id import written
from app.contexts.identity.domain.tenant import DEFAULT
from app.platform.console.desk import Desk
from app.platform.console.visit import uuid_of, visit_of
from app.platform.http import queries

PAGE: Final = 50


def machines(known: Machines, look_up: LookUp, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """The machines of a tenant."""

    @get("/machines")
    async def listed(request: Request[Any, Any, Any]) -> ASGIApp:
        given = queries.parameters(request.scope["query_string"], frozenset(("tenant", "before")))
        tenant = await look_up.tenant(given.get("tenant") or DEFAULT)
        before = uuid_of(given["before"], "before") if given.get("before") else None
        page, older = await read_machines(known, tenant.id, before, PAGE)
        return desk.pages.page(
            "machines.html", visit_of(request), machines=[(written(tenant.id, each.id), each) for each in page],
            tenant=tenant, tenants=await look_up.tenants.all(), older=older, first=before is None,
        )  # fmt: skip

    return [listed]
