"""POST /people/{tenant}/{user_id}/…: ending log-ins, letting nobody in, and letting them in again."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Request, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.contexts.identity.application.look_up import LookUp
from app.contexts.identity.application.operate_on_people import OperateOnPeople
from app.contexts.identity.domain.refusals import TooManyChanges
from app.contexts.identity.domain.tenant import Tenant
from app.platform.console.desk import Desk
from app.platform.console.errors import Rejected
from app.platform.console.pages import redirect
from app.platform.console.visit import uuid_of, visit_of
from app.platform.operations.actions import Actions


def mending(look_up: LookUp, operate: OperateOnPeople, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """What operators do about somebody."""

    async def about(request: Request[Any, Any, Any], tenant: str, user_id: str) -> tuple[Actions, Tenant, UUID]:
        record = desk.services.record_of(visit_of(request).operator)
        return record, await look_up.tenant(tenant), uuid_of(user_id, "a user's id")

    @post("/people/{tenant:str}/{user_id:str}/end")
    async def end(request: Request[Any, Any, Any], tenant: FromPath[str], user_id: FromPath[str]) -> ASGIApp:
        log_in_id = uuid_of(visit_of(request).value("id"), "a log-in's id")
        record, house, wanted = await about(request, tenant, user_id)
        await operate.end(record, house, wanted, log_in_id)
        return redirect(f"/people/{house.name}/{wanted}")

    @post("/people/{tenant:str}/{user_id:str}/end-all")
    async def end_all(request: Request[Any, Any, Any], tenant: FromPath[str], user_id: FromPath[str]) -> ASGIApp:
        record, house, wanted = await about(request, tenant, user_id)
        await operate.end_all(record, house, wanted)
        return redirect(f"/people/{house.name}/{wanted}")

    @post("/people/{tenant:str}/{user_id:str}/disable")
    async def disable(request: Request[Any, Any, Any], tenant: FromPath[str], user_id: FromPath[str]) -> ASGIApp:
        record, house, wanted = await about(request, tenant, user_id)
        await operate.set_active(record, house, wanted, is_active=False)
        return redirect(f"/people/{house.name}/{wanted}")

    @post("/people/{tenant:str}/{user_id:str}/enable")
    async def enable(request: Request[Any, Any, Any], tenant: FromPath[str], user_id: FromPath[str]) -> ASGIApp:
        record, house, wanted = await about(request, tenant, user_id)
        try:
            await operate.set_active(record, house, wanted, is_active=True)
        except TooManyChanges as refusal:
            raise Rejected(409, str(refusal)) from None
        return redirect(f"/people/{house.name}/{wanted}")

    return [end, end_all, disable, enable]
