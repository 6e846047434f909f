"""An operation made ready to be asked: who may, what is read of a request, and the route by which Litestar knows it."""

from collections.abc import Callable

from litestar.handlers import ASGIRouteHandler
from litestar.types import HTTPScope, Receive, Scope, Send
from msgspec import Struct

from app.platform.http import bodies, queries
from app.platform.http.csv_body import CsvBody
from app.platform.http.door import Admit
from app.platform.http.errors import Problem
from app.platform.http.forms import FormOrJsonBody
from app.platform.http.headers import Head, check_csv, check_media_type, is_form
from app.platform.http.json_body import JsonBody
from app.platform.http.operations import Operation, Request

Authenticate = Callable[[Head], None]
"""Sees to it that a request may be answered. Raises a Problem when it may not."""


class _Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """What is sent to an operation that takes nothing."""


_NO_MEMBERS = JsonBody(_Nothing, {})


class Endpoint:
    """What answers one operation."""

    __slots__ = (
        "_body",
        "_headers",
        "_is_behind_the_door",
        "_prefixes",
        "_query",
        "_segments",
        "admit",
        "authenticate",
        "inner_path",
        "operation",
    )

    def __init__(self, operation: Operation, authenticate: Authenticate, admit: Admit | None = None) -> None:
        self.operation = operation
        self.authenticate = authenticate
        self.admit = admit
        """How the front door lets in, where it stands before; it takes the place of the other."""
        # Litestar keeps the paths that it has routed: by templates it would be a cache of users.
        self.inner_path = f"/{operation.name}"
        self._segments = [one for one in operation.parameters if one.where == "path"]
        in_query = [one for one in operation.parameters if one.where == "query"]
        self._query = {one.name: one for one in in_query if not one.is_prefix}
        self._prefixes = {f"{one.name}.": one for one in in_query if one.is_prefix}
        self._headers = [one for one in operation.parameters if one.where == "header"]
        self._body = operation.body or (_NO_MEMBERS if operation.reads_bodies else None)
        self._is_behind_the_door = operation.is_behind_the_door

    def route(self) -> ASGIRouteHandler:
        """The operation as Litestar's."""
        read, handle = self._read, self.operation.handler

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            request: Request = scope["state"]["request"]
            read(request)
            reply = await handle(request)
            await reply(scope, receive, send)

        return ASGIRouteHandler(self.inner_path, copy_scope=False)(answer)

    async def receive(self, scope: HTTPScope, head: Head, receive: Receive) -> bytes:
        """The body of a request, as far as the operation looks at one.

        Raises:
            Problem: it is too large, malformed or too slow, or not of a kind that the operation takes.
            ClientGone: it will not come.
        """
        if self._body is None:
            return b""
        untaken = None
        if not self._is_behind_the_door:
            check_media_type(head)
        elif not bodies.is_announced(head):
            return b""
        else:
            try:
                self._check_media_type(head)
            except Problem as problem:
                if b"transfer-encoding" not in head.first:
                    raise
                untaken = problem  # in chunks it may turn out to be none at all
        bodies.check_size(head, self._body.most_bytes)
        body = await bodies.read(scope, receive, self._body.most_bytes)
        if body and untaken:
            raise untaken
        return body

    def _check_media_type(self, head: Head) -> None:
        if isinstance(self._body, CsvBody):
            check_csv(head)
        else:
            check_media_type(head, or_form=isinstance(self._body, FormOrJsonBody))

    def _read(self, request: Request) -> None:
        """Read all that the operation declares: path, query, headers, body.

        Raises:
            Problem: something of it is malformed.
        """
        for parameter, text in zip(self._segments, request.segments, strict=True):
            request[parameter] = parameter.read(text)
        given = queries.parameters(request.query, self._query.keys(), [*self._prefixes])
        for name, parameter in self._query.items():
            request[parameter] = parameter.read(given.get(name))
        for prefix, parameter in self._prefixes.items():
            behind = {name.removeprefix(prefix): text for name, text in given.items() if name.startswith(prefix)}
            request[parameter] = parameter.read(behind)
        for parameter in self._headers:
            request[parameter] = parameter.read(request.head)
        if isinstance(self._body, CsvBody):
            request[self._body] = request.raw_body
        elif self._body is not None:
            # Behind the door no body is one without members.
            raw = request.raw_body or (b"{}" if self._is_behind_the_door else b"")
            if isinstance(self._body, FormOrJsonBody):
                request[self._body] = self._body.decode(raw, is_form=raw is request.raw_body and is_form(request.head))
            else:
                request[self._body] = self._body.decode(raw)
