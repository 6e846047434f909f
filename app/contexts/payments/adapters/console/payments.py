"""GET /payments and /payments/{id}."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from uuid import UUID

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.contexts.payments.application.history import Story
from app.contexts.payments.application.recent import Place, RecentPayments, recent
from app.contexts.payments.domain.payment import Status
from app.platform.console.desk import Desk
from app.platform.console.visit import one_of, time_of, uuid_of, visit_of
from app.platform.http import queries

PAGE: Final = 50
_LIST: Final = frozenset(("status", "before"))
_STATUSES: Final = [status.value for status in Status]


def payments(
    records: RecentPayments, story: Callable[[UUID], Awaitable[Story]], desk: Desk
) -> Sequence[HTTPRouteHandler]:
    """Payments: the newest, and one."""

    @get("/payments")
    async def newest(request: Request[Any, Any, Any]) -> ASGIApp:
        given = queries.parameters(request.scope["query_string"], _LIST)
        status = Status(one_of(given["status"], "status", _STATUSES)) if given.get("status") else None
        before = _place(given["before"]) if given.get("before") else None
        page = await recent(records, status, before, PAGE)
        pending = [] if status or before else (await recent(records, Status.PENDING, None, PAGE)).payments
        older = f"{page.next[0].isoformat()}_{page.next[1]}" if page.next else None
        return desk.pages.page(
            "payments.html", visit_of(request), page=page, pending=pending, status=status, statuses=_STATUSES,
            older=older, first=before is None,
        )  # fmt: skip

    @get("/payments/{payment_id:str}")
    async def one(request: Request[Any, Any, Any], payment_id: FromPath[str]) -> ASGIApp:
        told = await story(uuid_of(payment_id, "a payment's id"))
        return desk.pages.page("payment.html", visit_of(request), story=told, payment=told.payment)

    return [newest, one]


def _place(text: str) -> Place:
    at, _, payment_id = text.partition("_")
    return time_of(at, "before"), uuid_of(payment_id, "before")
