"""GET /cashback, /cashback/{tenant}/{user} and /cashback/{tenant}/{user}/{entry}: rules, somebody's, and one story."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.contexts.rewards.application.ports import Place, Rules
from app.contexts.rewards.application.tell_cashback import TellCashback
from app.contexts.rewards.domain.ids import EntryId
from app.kernel.ids import UserId
from app.platform.console.desk import Desk
from app.platform.console.pages import redirect
from app.platform.console.visit import time_of, uuid_of, visit_of
from app.platform.http import queries
from app.platform.tenants import DEFAULT, KnownTenants

PAGE: Final = 50
_LIST: Final = frozenset(("tenant", "user"))
_OF_USER: Final = frozenset(("before",))


def cashback(rules: Rules, tenants: KnownTenants, tell: TellCashback, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """Cashback: the rules of a tenant, what one of its users has, and what became of something earned."""

    @get("/cashback")
    async def of_tenant(request: Request[Any, Any, Any]) -> ASGIApp:
        given = queries.parameters(request.scope["query_string"], _LIST)
        tenant = await tenants.called(given.get("tenant") or DEFAULT)
        if given.get("user"):
            return redirect(f"/cashback/{quote(tenant.name)}/{uuid_of(given['user'], 'the id of a user')}")
        return desk.pages.page(
            "cashback_rules.html", visit_of(request), rules=await rules.all(tenant.tenant_id), tenant=tenant,
            tenants=await tenants.all(),
        )  # fmt: skip

    @get("/cashback/{tenant:str}/{user:str}")
    async def of_user(request: Request[Any, Any, Any], tenant: FromPath[str], user: FromPath[str]) -> ASGIApp:
        given = queries.parameters(request.scope["query_string"], _OF_USER)
        house, user_id = await tenants.called(tenant), UserId(uuid_of(user, "a user's id"))
        before = _place(given["before"]) if given.get("before") else None
        booked = await tell.of_user(house.tenant_id, user_id, before, PAGE + 1)
        lines, last = booked.lines[:PAGE], booked.lines[PAGE - 1].line if len(booked.lines) > PAGE else None
        return desk.pages.page(
            "cashback_of_user.html", visit_of(request), standing=booked.standing, lines=lines, tenant=house,
            older=f"{last.at.isoformat()}_{last.id}" if last else None, first=before is None,
        )  # fmt: skip

    @get("/cashback/{tenant:str}/{user:str}/{entry:str}")
    async def of_entry(
        request: Request[Any, Any, Any], tenant: FromPath[str], user: FromPath[str], entry: FromPath[str]
    ) -> ASGIApp:
        house, user_id = await tenants.called(tenant), UserId(uuid_of(user, "a user's id"))
        story = await tell.of_entry(house.tenant_id, user_id, EntryId(uuid_of(entry, "an entry's id")))
        return desk.pages.page("cashback_entry.html", visit_of(request), story=story, entry=story.entry, tenant=house)

    return [of_tenant, of_user, of_entry]


def _place(text: str) -> Place:
    at, _, line_id = text.partition("_")
    return Place(time_of(at, "before"), uuid_of(line_id, "before"))
