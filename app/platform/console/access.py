"""GET and POST /login, POST /logout, GET /healthz."""

import re
from collections.abc import Sequence
from math import ceil
from typing import Any, Final

import structlog
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from app.platform.console.desk import Desk
from app.platform.console.pages import redirect
from app.platform.console.visit import visit_of
from app.platform.http import queries
from app.platform.http.replies import RawHeader, Reply

_NEXT: Final = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
"""A place within the console: what begins with two slashes is another host's."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


def access(desk: Desk) -> Sequence[HTTPRouteHandler]:
    """Logging in and out."""

    @get("/login")
    async def ask(request: Request[Any, Any, Any]) -> ASGIApp:
        visit = visit_of(request)
        if visit.session is not None:
            return redirect("/")
        given = queries.parameters(request.scope["query_string"], frozenset(("next",)))
        return desk.pages.page("login.html", visit, next=_inside(given.get("next", "/")), trouble=None)

    @post("/login")
    async def log_in(request: Request[Any, Any, Any]) -> ASGIApp:
        visit = visit_of(request)
        then = _inside(visit.value("next"))

        def again(status: int, trouble: str, *headers: RawHeader) -> Reply:
            page = desk.pages.page("login.html", visit, status, next=then, trouble=trouble)
            return Reply(page.status, page.body, headers, page.media_type)

        wait_s = desk.operators.wait_s(visit.address)
        if wait_s > 0:
            after = str(ceil(wait_s)).encode()
            return again(429, f"Too many wrong keys. Try again in {ceil(wait_s)} s.", (b"retry-after", after))
        operator = desk.operators.holder(visit.form.get("key", ("",))[0].strip(), visit.address)
        if operator is None:
            _log.warning("log_in_refused", address=visit.address)
            return again(401, "This is nobody's key.")
        _log.info("logged_in", operator=operator, address=visit.address)
        desk.sessions.end(visit.secret)
        return redirect(then, _cookie(desk, desk.sessions.begin(operator)))

    @post("/logout")
    async def log_out(request: Request[Any, Any, Any]) -> ASGIApp:
        visit = visit_of(request)
        desk.sessions.end(visit.secret)
        _log.info("logged_out", operator=visit.operator)
        return redirect("/login", _cookie(desk, ""))

    return [ask, log_in, log_out]


def liveness(_: Desk) -> Sequence[HTTPRouteHandler]:
    """Whether the process answers at all."""

    @get("/healthz")
    async def healthz() -> ASGIApp:
        return Reply(200, b'{"status":"ok"}')

    return [healthz]


def _inside(path: str) -> str:
    return path if _NEXT.fullmatch(path) else "/"


def _cookie(desk: Desk, secret: str) -> RawHeader:
    """The session's cookie, which ends with the browser; an empty one ends at once."""
    attributes = "; Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if desk.secure else "")
    return b"set-cookie", f"{desk.cookie}={secret}{attributes}{'' if secret else '; Max-Age=0'}".encode("ascii")
