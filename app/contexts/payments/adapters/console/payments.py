"""GET /payments, /payments/{id} and /search."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.adapters.console.desk import Desk
from app.adapters.console.pages import redirect
from app.adapters.console.visit import one_of, time_of, uuid_of, visit_of
from app.adapters.http import queries
from app.application.payments.recent import Place, recent
from app.domain.ids import UserId
from app.domain.payments.payment import Status

PAGE: Final = 50
_LIST: Final = frozenset(("status", "before"))
_STATUSES: Final = [status.value for status in Status]


def payments(desk: Desk) -> Sequence[HTTPRouteHandler]:
    """Payments: the newest, one, and finding one."""
    services = desk.services

    @get("/payments")
    async def newest(request: Request[Any, Any, Any]) -> ASGIApp:
        given = queries.parameters(request.scope["query_string"], _LIST)
        status = Status(one_of(given["status"], "status", _STATUSES)) if given.get("status") else None
        before = _place(given["before"]) if given.get("before") else None
        page = await recent(services.recent, status, before, PAGE)
        pending = [] if status or before else (await recent(services.recent, Status.PENDING, None, PAGE)).payments
        older = f"{page.next[0].isoformat()}_{page.next[1]}" if page.next else None
        return desk.pages.page(
            "payments.html", visit_of(request), page=page, pending=pending, status=status, statuses=_STATUSES,
            older=older, first=before is None,
        )  # fmt: skip

    @get("/payments/{payment_id:str}")
    async def one(request: Request[Any, Any, Any], payment_id: FromPath[str]) -> ASGIApp:
        story = await services.story(uuid_of(payment_id, "a payment's id"))
        return desk.pages.page("payment.html", visit_of(request), story=story, payment=story.payment)

    @get("/search")
    async def search(request: Request[Any, Any, Any]) -> ASGIApp:
        """A user by index, else a payment, whose page says when there is none."""
        given = queries.parameters(request.scope["query_string"], frozenset(("id",)))
        wanted = uuid_of(given.get("id", ""), "what is looked for")
        is_user = bool(await services.reader.balances(UserId(wanted)))
        return redirect(f"/wallets/{wanted}" if is_user else f"/payments/{wanted}")

    return [newest, one, search]


def _place(text: str) -> Place:
    at, _, payment_id = text.partition("_")
    return time_of(at, "before"), uuid_of(payment_id, "before")
