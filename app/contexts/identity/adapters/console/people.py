"""GET /people, /people/{tenant}/{user_id}, and POST /people/search, whose terms stay out of addresses and logs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.contexts.identity.application.look_up import LookUp, TooManyTenants
from app.contexts.identity.application.operate_on_people import LogIns
from app.contexts.identity.application.ports import Filters, Users
from app.contexts.identity.application.read_users import ReadUsers
from app.contexts.identity.domain.refusals import UserNotFound
from app.contexts.identity.domain.tenant import DEFAULT
from app.kernel.principal import Role
from app.platform.console.desk import Desk
from app.platform.console.errors import Rejected
from app.platform.console.pages import redirect
from app.platform.console.visit import one_of, time_of, uuid_of, visit_of
from app.platform.http import queries

PAGE: Final = 50
MOST_OF_A_TEXT: Final = 254
_LIST: Final = frozenset(("tenant", "role", "active", "before"))
_ROLES: Final = [role.value for role in Role]
_ACTIVE: Final = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Lists:
    """Where people and their log-ins are read."""

    users: Users
    log_ins: LogIns


def people(lists: Lists, look_up: LookUp, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """People: those of a tenant, one of them, and finding one."""
    return [_listed(lists, look_up, desk), _found(look_up, desk), _one(lists, look_up, desk)]


def _listed(lists: Lists, look_up: LookUp, desk: Desk) -> HTTPRouteHandler:
    @get("/people")
    async def listed(request: Request[Any, Any, Any]) -> ASGIApp:
        given = queries.parameters(request.scope["query_string"], _LIST)
        tenant = await look_up.tenant(given.get("tenant") or DEFAULT)
        role = Role(one_of(given["role"], "the role", _ROLES)) if given.get("role") else None
        active = one_of(given["active"], "active", [*_ACTIVE]) if given.get("active") else None
        before = place(given["before"]) if given.get("before") else None
        filters = Filters(role=role, is_active=None if active is None else _ACTIVE[active])
        page = await ReadUsers(lists.users).page(tenant.id, filters, before, PAGE)
        return desk.pages.page(
            "people.html", visit_of(request), people=page.users, tenant=tenant, tenants=await look_up.tenants.all(),
            role=role, roles=_ROLES, active=active, older=told(page.next), first=before is None,
        )  # fmt: skip

    return listed


def _found(look_up: LookUp, desk: Desk) -> HTTPRouteHandler:
    @post("/people/search")
    async def found(request: Request[Any, Any, Any]) -> ASGIApp:
        visit = visit_of(request)
        text, name = visit.value("text"), visit.value("tenant")
        if not 1 <= len(text) <= MOST_OF_A_TEXT:
            raise Rejected(400, f"what is looked for must have 1 to {MOST_OF_A_TEXT} characters")
        try:
            known = await look_up(text, name or None)
        except TooManyTenants as error:
            raise Rejected(400, str(error)) from None
        if len(known) == 1:
            (tenant, user), *_ = known
            return redirect(f"/people/{tenant.name}/{user.id}")
        return desk.pages.page("people_found.html", visit, known=known)

    return found


def _one(lists: Lists, look_up: LookUp, desk: Desk) -> HTTPRouteHandler:
    @get("/people/{tenant:str}/{user_id:str}")
    async def one(request: Request[Any, Any, Any], tenant: FromPath[str], user_id: FromPath[str]) -> ASGIApp:
        given = queries.parameters(request.scope["query_string"], frozenset(("before",)))
        before = place(given["before"]) if given.get("before") else None
        house, wanted = await look_up.tenant(tenant), uuid_of(user_id, "a user's id")
        account = await lists.users.by_id(house.id, wanted)
        if account is None:
            raise UserNotFound
        found = await lists.log_ins.page(house.id, wanted, before, PAGE + 1)
        page = found[:PAGE]
        older = told((page[-1].began_at, page[-1].id)) if len(found) > PAGE else None
        return desk.pages.page(
            "person.html", visit_of(request), tenant=house, user=account.user, log_ins=page, older=older,
            has_password=account.password_hash is not None, first=before is None,
        )  # fmt: skip

    return one


def place(text: str) -> tuple[datetime, UUID]:
    """Where a page begins.

    Raises:
        Rejected: it is no such place.
    """
    at, _, last = text.partition("_")
    return time_of(at, "before"), uuid_of(last, "before")


def told(at: tuple[datetime, UUID] | None) -> str | None:
    """The place in an address, which `place` reads; it says when, and an id."""
    return f"{at[0].isoformat().replace('+00:00', 'Z')}_{at[1]}" if at else None
