"""The API as one ASGI application: Litestar answers, inside a layer that sees every request and every answer.

The layer is there because 404s and 405s pass by a framework's middleware: request ids, the access log, metrics, limits
and the order of the checks must hold for them as well.
"""

import time
from typing import Any, Literal, cast

import structlog
from litestar import Litestar
from litestar.types import HTTPScope, LifeSpanReceive, LifeSpanSend, Message, Receive, Scope, Send

from app.adapters.http import bodies
from app.adapters.http.auth import ApiKeys
from app.adapters.http.errors import Problem, log_malformed, log_unexpected, not_found, problem_of
from app.adapters.http.headers import Head, check_media_type, request_id, traceparent
from app.adapters.http.inflight import InFlight
from app.adapters.http.metrics import RequestMetrics
from app.adapters.http.replies import ALWAYS, refusal
from app.adapters.http.routes import handlers, refuse
from app.adapters.http.routing import MALFORMED, UNMATCHED, Routes, inside
from app.adapters.http.services import HttpOptions, Services
from app.adapters.shapes import payment_fields
from app.domain.payments.payment import Payment

__all__ = ["Api", "HttpOptions", "Services", "create_app"]

CLIENT_GONE = 499
"""What log and metrics say of a request whose client did not stay for an answer."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Answering:
    """Where a request's answer goes: adds the headers that every answer has, and notes what was sent."""

    __slots__ = ("_send", "closing", "code", "payment", "replayed", "request_id", "route", "status")

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.closing = False
        self.route = UNMATCHED
        self.status = CLIENT_GONE
        self.code: str | None = None
        self.replayed = False
        self.payment: Payment | None = None

    async def __call__(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message["headers"], *ALWAYS, (b"x-request-id", self.request_id.encode("ascii"))]
            if self.closing:
                headers.append((b"connection", b"close"))
            message["headers"] = headers
        await self._send(message)


class Api:
    """The ASGI application."""

    def __init__(self, services: Services, options: HttpOptions) -> None:
        self._services = services
        self._in_flight = InFlight(options.shutdown_grace_s)
        self._keys = ApiKeys(options.api_keys)
        self._routes = Routes(options.exposed)
        self._metrics = RequestMetrics(services.registry)
        # Litestar's own OpenAPI, logging and error pages stay out: they would say other things than the contract.
        self._litestar = Litestar(
            handlers(services, options, self._in_flight),
            exception_handlers={Exception: refuse},
            openapi_config=None,
            logging_config=None,
            debug=False,
        )

    @property
    def draining(self) -> bool:
        """Whether the process is about to end: every connection ends with its next answer."""
        return self._in_flight.draining

    def begin_drain(self) -> None:
        """Take no new payments from here on."""
        self._in_flight.begin_drain()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or follow the server's start and end."""
        # The server speaks no websockets.
        if scope["type"] == "lifespan":  # type: ignore[comparison-overlap] # left out of Litestar's types
            await self._live(cast("LifeSpanReceive", receive), cast("LifeSpanSend", send))
        else:
            await self._exchange(cast("HTTPScope", scope), receive, send)

    async def _exchange(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        head = Head(scope["headers"])
        answering = Answering(send, request_id(head))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=answering.request_id)
        follow = self._services.follow
        end = follow(scope["method"], traceparent(head), answering.request_id) if follow else None
        try:
            await self._answer(scope, head, receive, answering)
        except bodies.ClientGone:
            pass
        except Exception as error:  # whatever it is, the client gets an answer of ours
            await self._refuse(error, scope, head, receive, answering)
        finally:
            self._record(
                scope["method"],
                answering.route,
                answering.status,
                started,
                answering.code,
                answering.replayed,
                answering.payment,
            )
            if end:
                end(None if answering.route == UNMATCHED else answering.route, answering.status)

    async def _answer(self, scope: HTTPScope, head: Head, receive: Receive, answering: Answering) -> None:
        """Check in the order that the contract gives, then let Litestar answer."""
        if head.is_too_large:
            raise Problem("HEADERS_TOO_LARGE", "the headers are too many or too large")
        if b"%2f" in scope["raw_path"].lower():
            # An encoded slash parts no segments, whatever the decoded path looks like.
            raise not_found()
        route, user = self._routes.find(scope["path"])
        answering.route = route.template
        route.check_method(scope["method"])
        if route.needs_key:
            self._keys.check(head)
        body = b""
        if route.method == "POST":
            check_media_type(head)
            bodies.check_size(head)
            body = await bodies.read(scope, receive)
        elif bodies.must_close(head):
            # Nothing reads the body of a GET.
            bodies.check_size(head)
            answering.closing = True
        state: dict[str, Any] = {"head": head, "user": user, "body": body}
        inner = {**scope, "method": route.method, "path": inside(route.template), "state": state}
        await self._litestar(cast("HTTPScope", inner), receive, answering)
        # What the handlers leave there for metrics and log.
        answering.code, answering.replayed = state.get("code"), state.get("replayed", False)
        answering.payment = next(iter(state.get("reserved", ())), None)

    async def _refuse(
        self, error: Exception, scope: HTTPScope, head: Head, receive: Receive, answering: Answering
    ) -> None:
        if answering.status != CLIENT_GONE:
            # Half an answer is out: only breaking the connection tells the client that it is not whole.
            log_unexpected(error)
            raise error
        answering.closing = bodies.must_close(head) or bodies.BODY_PROBLEM in scope
        problem = problem_of(error)
        answering.code = problem.code
        await refusal(problem)(scope, receive, answering)

    def record_refused(self, problem: Problem, started: float) -> None:
        """Log and count a request that was not HTTP, or too much of it."""
        log_malformed(problem)
        self._record("OTHER", MALFORMED, problem.status, started, problem.code)

    def _record(
        self,
        method: str,
        route: str,
        status: int,
        started: float,
        code: str | None,
        replayed: bool = False,
        payment: Payment | None = None,
    ) -> None:
        """Log and count a request that was answered, with the payment that it made, if it did.

        `started` is a time of `time.perf_counter()`.
        """
        duration_s = time.perf_counter() - started
        self._metrics.observe(method, route, status, duration_s, code, replayed)
        fields = payment_fields(payment) if payment else {}
        latency_ms = round(duration_s * 1e3, 2)
        _log.info("request", method=method, route=route, status=status, **fields, latency_ms=latency_ms)

    async def _live(self, receive: LifeSpanReceive, send: LifeSpanSend) -> None:
        """Open the services, and close them when the last request is over."""
        phase: Literal["startup", "shutdown"] = "startup"
        await receive()
        try:
            async with self._services.lifespan():
                await send({"type": "lifespan.startup.complete"})
                phase = "shutdown"
                await receive()
                await self._in_flight.finish()
        except Exception as error:  # the server logs it, and ends the process with an exit code
            why = f"{phase} failed: {type(error).__name__}: {error}"
            if phase == "startup":
                await send({"type": "lifespan.startup.failed", "message": why})
            else:
                await send({"type": "lifespan.shutdown.failed", "message": why})
        else:
            await send({"type": "lifespan.shutdown.complete"})


def create_app(services: Services, options: HttpOptions) -> Api:
    """The API over the services."""
    return Api(services, options)
