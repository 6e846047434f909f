"""The API as one ASGI application: Litestar answers, inside a layer that sees every request and every answer.

The layer is there because 404s and 405s pass by a framework's middleware: request ids, the access log, metrics, limits
and the order of the checks must hold for them as well.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

import litestar
import structlog
from litestar import Litestar, Response
from litestar.types import HTTPScope, LifeSpanReceive, LifeSpanSend, Receive, Scope, Send

from app.platform.http import bodies
from app.platform.http.auth import ApiKeys
from app.platform.http.codes import HEADERS_TOO_LARGE, NOT_FOUND
from app.platform.http.door import Door
from app.platform.http.endpoint import Authenticate, Endpoint
from app.platform.http.error_table import ErrorTable
from app.platform.http.errors import Problem, log_unexpected
from app.platform.http.headers import Head, request_id, traceparent, wants_a_page
from app.platform.http.lifespan import live
from app.platform.http.metrics import RequestMetrics, StreamMetrics
from app.platform.http.openapi import SESSION_COOKIE, document
from app.platform.http.operations import (
    ANYONE,
    API_KEY,
    BEARER,
    BEHIND_THE_DOOR,
    MAYBE_BEARER,
    Operation,
    Request,
    check,
)
from app.platform.http.origins import is_preflight
from app.platform.http.replies import RawHeader, Reply, refusal
from app.platform.http.routing import MALFORMED, UNMATCHED, Router
from app.platform.http.sender import CLIENT_GONE, DoorSender, Sender
from app.platform.http.services import HttpOptions, Services
from app.platform.http.streams import Streams
from app.platform.http.system import DOCS, Documentation, system

__all__ = ["Api", "HttpOptions", "Services", "create_app"]

TOP = "/"
"""Nothing is there; a browser is led on from it, to where there is something to read."""
_TO_THE_DOCS = Reply(302, b"", ((b"location", b"/docs"),), b"text/html; charset=utf-8")

Authentications = Mapping[str, Authenticate]
"""How each authentication that an operation may name lets requests in."""

_BEHIND_THE_DOOR = tuple(path.encode() for path in BEHIND_THE_DOOR)
_NO_FIELDS: Mapping[str, Any] = {}
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Api:
    """The ASGI application."""

    def __init__(
        self, operations: Sequence[Operation], services: Services, options: HttpOptions, authenticated: Authentications
    ) -> None:
        by_people = (BEARER, MAYBE_BEARER) if services.people else ()
        check(operations, (*authenticated, *by_people))
        self._services = services
        self._in_flight = services.in_flight
        self._has_docs = any(operation.template == DOCS for operation in operations)
        self._metrics = RequestMetrics(services.registry)
        self._streams = Streams(services.people, StreamMetrics(services.registry))
        self._errors = ErrorTable(operations)
        self._door = Door(services, options)
        endpoints = [
            Endpoint(operation, authenticated.get(operation.who, _nobody), self._door.admission(operation))
            for operation in operations
        ]
        self._router = Router(endpoints)
        # Litestar's own OpenAPI, logging and error pages stay out: they would say other things than the contract.
        self._litestar = Litestar(
            [endpoint.route() for endpoint in endpoints],
            exception_handlers={Exception: self._told},
            openapi_config=None,
            logging_config=None,
            debug=False,
        )

    @property
    def draining(self) -> bool:
        """Whether the process is about to end: every connection ends with its next answer."""
        return self._in_flight.draining

    def begin_drain(self) -> None:
        """Take no new payments from here on, and end what goes on."""
        self._in_flight.begin_drain()
        self._streams.drain()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or follow the server's start and end."""
        # The server speaks no websockets.
        if scope["type"] == "lifespan":  # type: ignore[comparison-overlap] # left out of Litestar's types
            await live(self._services, cast("LifeSpanReceive", receive), cast("LifeSpanSend", send))
        else:
            await self._exchange(cast("HTTPScope", scope), receive, send)

    async def _exchange(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        head = Head(scope["headers"])
        sender = self._sender(scope["path"], head, send)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=sender.request_id)
        follow = self._services.follow
        end = follow(scope["method"], traceparent(head), sender.request_id) if follow else None
        try:
            await self._answer(scope, head, receive, sender)
        except bodies.ClientGone:
            pass
        except Exception as error:  # whatever it is, the client gets an answer of ours
            await self._refuse(error, scope, head, receive, sender)
        finally:
            self._record(
                scope["method"],
                sender.route,
                sender.status,
                started,
                sender.code,
                sender.replayed,
                sender.fields,
                sender.began_at,
            )
            if end:
                end(None if sender.route == UNMATCHED else sender.route, sender.status)

    async def _answer(self, scope: HTTPScope, head: Head, receive: Receive, sender: Sender) -> None:
        """Check in the order that the contract gives, then let Litestar answer."""
        if head.is_too_large:
            raise Problem(HEADERS_TOO_LARGE)
        if b"%2f" in scope["raw_path"].lower():
            # An encoded slash parts no segments, whatever the decoded path looks like.
            raise Problem(NOT_FOUND)
        if self._is_at_the_top(scope, head):
            sender.route = TOP
            await _TO_THE_DOCS(scope, receive, sender)
            return
        resource, segments = self._router.find(scope["path"])
        sender.route = resource.template
        if resource.is_behind_the_door and is_preflight(scope["method"], head):
            sender.closing = bodies.must_close(head)
            await self._door.origins.preflight(head, resource.methods)(scope, receive, sender)
            return
        endpoint = resource.endpoint(scope["method"])
        request = Request(head, segments, scope["query_string"])
        if endpoint.admit:
            await endpoint.admit(scope, request)
        else:
            endpoint.authenticate(head)
        if endpoint.operation.reads_bodies:
            request.raw_body = await endpoint.receive(scope, head, receive)
        elif bodies.must_close(head):
            # Nothing reads a body that the operation does not take.
            bodies.check_size(head)
            sender.closing = True
        is_head = scope["method"] == "HEAD"
        state = {"request": request, "streams": self._streams, "route": resource.template, "is_head": is_head}
        inner = {**scope, "method": endpoint.operation.method, "path": endpoint.inner_path, "state": state}
        await self._litestar(cast("HTTPScope", inner), receive, sender)
        # What the handler leaves there for metrics and log.
        sender.code, sender.replayed = request.error_code, request.is_replayed
        sender.fields = request.log_fields

    def _sender(self, path: str, head: Head, send: Send) -> Sender:
        if path.startswith(BEHIND_THE_DOOR):
            return DoorSender(send, request_id(head), self._door.origins, path, head)
        return Sender(send, request_id(head))

    def _told(self, request: litestar.Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        """The answer to whatever a handler raised."""
        problem = self._errors.problem_of(error)
        request.scope["state"]["request"].error_code = problem.code
        return Response(
            problem.body, status_code=problem.status, headers=problem.headers, media_type="application/json"
        )

    def _is_at_the_top(self, scope: HTTPScope, head: Head) -> bool:
        """Whether somebody looks with a browser for what is here. To programs there is no such resource."""
        looks = scope["path"] == TOP and scope["method"] in ("GET", "HEAD") and not bodies.must_close(head)
        return looks and self._has_docs and wants_a_page(head)

    async def _refuse(self, error: Exception, scope: HTTPScope, head: Head, receive: Receive, sender: Sender) -> None:
        if sender.status != CLIENT_GONE:
            # Half an answer is out: only breaking the connection tells the client that it is not whole.
            log_unexpected(error)
            raise error
        sender.closing = bodies.must_close(head) or bodies.BODY_PROBLEM in scope
        problem = self._errors.problem_of(error)
        sender.code = problem.code
        await refusal(problem)(scope, receive, sender)

    def headers_beside(self, target: bytes, head: Head) -> Sequence[RawHeader]:
        """What a refusal of such a request has beside its own, if the server makes it: what all of /v1 has."""
        return self._door.origins.told(head) if target.startswith(_BEHIND_THE_DOOR) else ()

    def record_refused(self, problem: Problem, started: float) -> None:
        """Log and count a request that was not HTTP, or too much of it."""
        self._errors.log_malformed(problem)
        self._record("OTHER", MALFORMED, problem.status, started, problem.code)

    def _record(
        self,
        method: str,
        route: str,
        status: int,
        started: float,
        code: str | None,
        replayed: bool = False,
        fields: Mapping[str, Any] = _NO_FIELDS,
        began_at: float | None = None,
    ) -> None:
        """Log and count a request that was answered. `started` is a time of `time.perf_counter()`; so is `began_at`, if
        the answer went on: when it had begun.
        """
        duration_s = (began_at or time.perf_counter()) - started
        self._metrics.observe(method, route, status, duration_s, code, replayed)
        latency_ms = round(duration_s * 1e3, 2)
        _log.info("request", method=method, route=route, status=status, **fields, latency_ms=latency_ms)


def _nobody(_: Head) -> None:
    """Nobody in particular has to ask."""


def create_app(operations: Sequence[Operation], services: Services, options: HttpOptions) -> Api:
    """The API: these operations, and the platform's own.

    Raises:
        Contradiction: they do not fit together.
    """
    documentation = Documentation()
    served = [*operations, *system(services, options, documentation)]
    api = Api(served, services, options, {ANYONE: _nobody, API_KEY: ApiKeys(options.api_keys).check})
    cookie = services.people.cookie if services.people else SESSION_COOKIE
    documentation.tell(document(served, options.known_currencies, cookie))
    return api
