"""The console as one ASGI application: Litestar answers, inside a layer that sees every request and every answer.

The layer knows who asks, and lets nobody in who has not logged in. It takes a form only from one of its own pages: the
cookie is not sent from elsewhere (SameSite), the Origin has to be the console's, and the form has to have the session's
token.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from hmac import compare_digest
from typing import Any, Final, cast
from urllib.parse import quote

import structlog
from litestar import Litestar, Request, Response
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from app.platform.console.desk import make_desk
from app.platform.console.errors import Rejected, page_of
from app.platform.console.page import Page, menu_of
from app.platform.console.pages import HTML, Pages, redirect
from app.platform.console.services import ConsoleOptions, ConsoleServices
from app.platform.console.shell import with_shell
from app.platform.console.visit import Visit, form_of, visit_of
from app.platform.console.work import Workbench
from app.platform.http import bodies
from app.platform.http.errors import Problem
from app.platform.http.headers import Head, request_id
from app.platform.http.replies import RawHeader
from app.platform.http.routing import MALFORMED

PUBLIC: Final = ("/login", "/healthz")
STATIC: Final = "/static/"
LIVE: Final = "/live/"
"""What pages fetch to keep themselves up to date, which is no sign that somebody is there."""
METHODS: Final = ("GET", "HEAD", "POST")
CLIENT_GONE: Final = 499

# Referrers stay within the console; with `no-referrer` browsers would not tell the Origin of a form, either.
GUARDS: Final[tuple[RawHeader, ...]] = (
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        b"form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
NOT_KEPT: Final[RawHeader] = (b"cache-control", b"no-store")

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Console:
    """The ASGI application: the shell's pages, and those that it is given."""

    def __init__(self, services: ConsoleServices, options: ConsoleOptions, brought: Sequence[Page]) -> None:
        pages, work = with_shell(brought), Workbench()
        folders = [page.templates for page in pages if page.templates is not None]
        self._desk = make_desk(services, options, work, Pages(work, menu_of(pages), folders))
        self._not_found = tuple(kind for page in pages for kind in page.not_found)
        self._draining = False
        self._litestar = Litestar(
            [handler for page in pages for handler in page.handlers(self._desk)],
            exception_handlers={Exception: self._refuse},
            lifespan=[self._living],
            openapi_config=None,
            logging_config=None,
            debug=False,
        )

    @property
    def draining(self) -> bool:
        """Whether the process is about to end: every connection ends with its next answer."""
        return self._draining

    def begin_drain(self) -> None:
        """Stop what takes long at its next good point."""
        self._draining = True
        self._desk.work.cancel()

    def headers_beside(self, _: bytes, __: Head) -> Sequence[RawHeader]:
        """What a refusal has beside its own headers: nothing more."""
        return ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or follow the server's start and end."""
        # The server speaks no websockets.
        if scope["type"] == "lifespan":  # type: ignore[comparison-overlap] # left out of Litestar's types
            await self._litestar(scope, receive, send)
        else:
            await self._exchange(cast("HTTPScope", scope), receive, send)

    @asynccontextmanager
    async def _living(self, _: Litestar) -> AsyncIterator[None]:
        async with self._desk.services.lifespan():
            watching = asyncio.create_task(self._desk.watch.run())
            try:
                yield
            finally:
                watching.cancel()
                await self._desk.work.end(self._desk.options.shutdown_grace_s)

    async def _exchange(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        head = Head(scope["headers"])
        client = scope["client"]
        visit = Visit(scope["path"], client[0] if client else "")
        answering = _GuardedSend(send, closing=self._draining)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id(head))
        inner = cast("HTTPScope", {**scope, "state": {"visit": visit}})
        try:
            # What is wrong with a body is told in the server's own scope, not in the copy.
            answer = await self._admit(inner, head, visit, partial(bodies.read, scope, receive))
            answering.closing |= bodies.must_close(head) or bodies.BODY_PROBLEM in scope
            await answer(inner, receive, answering)
        except bodies.ClientGone:
            pass
        finally:
            self._record(scope["method"], str(inner.get("path_template", "-")), answering.status, started)

    async def _admit(self, scope: HTTPScope, head: Head, visit: Visit, read: Callable[[], Awaitable[bytes]]) -> ASGIApp:
        """Who answers: the routes, if the request may get there."""
        try:
            if head.is_too_large:
                raise Rejected(431, "the headers are too many or too large")
            method = scope["method"]
            if method not in METHODS:
                raise Rejected(405, "pages take GET and POST", {"Allow": ", ".join(METHODS)})
            visit.secret = self._secret(head)
            visit.session = self._desk.sessions.find(visit.secret, clicked=not visit.path.startswith(LIVE))
            may_pass = visit.session is not None or visit.path in PUBLIC or visit.path.startswith(STATIC)
            if not may_pass and (method == "POST" or visit.path.startswith(LIVE)):
                raise Rejected(401, "you are not logged in any more")
            if method == "POST":
                await self._read_form(head, visit, read)
            elif method == "HEAD":
                scope["method"] = "GET"  # the server leaves the body out
            if may_pass:
                return cast("ASGIApp", self._litestar)
        except bodies.ClientGone:
            raise
        except Exception as error:
            return cast("ASGIApp", self._desk.pages.error(visit, page_of(error, self._not_found)))
        wanted = visit.path + ("?" + scope["query_string"].decode("latin-1") if scope["query_string"] else "")
        return cast("ASGIApp", redirect("/login" if wanted == "/" else f"/login?next={quote(wanted, safe='/')}"))

    async def _read_form(self, head: Head, visit: Visit, read: Callable[[], Awaitable[bytes]]) -> None:
        """Take the form, if one of our pages has sent it."""
        origin, host = head.one(b"origin"), head.one(b"host") or b""
        ours = self._desk.options.url.encode("ascii") or b"http://" + host
        if origin is None or origin.lower() != ours.lower():
            raise Rejected(403, "the form came from elsewhere; if it did not, CONSOLE_URL is not where the console is")
        kind = (head.one(b"content-type") or b"").partition(b";")[0].strip().lower()
        if kind != b"application/x-www-form-urlencoded" or b"content-encoding" in head.first:
            raise Rejected(415, "a form is sent as application/x-www-form-urlencoded")
        bodies.check_size(head)
        visit.form = form_of(await read())
        if visit.session is not None:
            token = visit.form.get("csrf", ("",))[0]
            if not compare_digest(token.encode(), visit.session.token.encode()):
                raise Rejected(403, "the form is not of this session: open the page again")

    def _secret(self, head: Head) -> str:
        """What the session's cookie holds."""
        cookies = (head.one(b"cookie") or b"").decode("latin-1").split(";")
        named = [pair.strip().partition("=") for pair in cookies]
        return next((value for name, _, value in named if name == self._desk.cookie), "")

    def _refuse(self, request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        refused = page_of(error, self._not_found)
        page = self._desk.pages.error(visit_of(request), refused)
        return Response(page.body, status_code=page.status, headers=refused.headers, media_type=HTML.decode())

    def record_refused(self, problem: Problem, started: float) -> None:
        """Log a request that was not HTTP, or too much of it."""
        self._record("OTHER", MALFORMED, problem.status, started)

    def _record(self, method: str, route: str, status: int, started: float) -> None:
        if route.startswith((LIVE, STATIC)) and status < 400:
            return  # every two seconds, from every page that is open
        latency_ms = round((time.perf_counter() - started) * 1e3, 2)
        _log.info("request", method=method, route=route, status=status, latency_ms=latency_ms)


class _GuardedSend:
    """Where a request's answer goes: adds the headers that every answer has, and notes its status."""

    __slots__ = ("_send", "closing", "status")

    def __init__(self, send: Send, *, closing: bool) -> None:
        self._send = send
        self.closing = closing
        self.status = CLIENT_GONE

    async def __call__(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message["headers"], *GUARDS]
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append(NOT_KEPT)
            if self.closing:
                headers.append((b"connection", b"close"))
            message["headers"] = headers
        await self._send(message)
