"""What is sent: a status, bytes, and headers."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from litestar.types import Receive, Scope, Send

from app.adapters.http.errors import Problem

JSON = b"application/json"
RawHeader = tuple[bytes, bytes]

# Balances are nobody's to keep, and a body is what its content type says.
ALWAYS: tuple[RawHeader, ...] = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole response. It is an ASGI application, which Litestar's handlers may return."""

    status: int
    body: bytes
    headers: tuple[RawHeader, ...] = ()
    media_type: bytes = JSON

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        """Send it."""
        await send(
            {
                "type": "http.response.start",
                "status": self.status,
                "headers": [
                    (b"content-type", self.media_type),
                    (b"content-length", str(len(self.body)).encode("ascii")),
                    *self.headers,
                ],
            }
        )
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


def refusal(problem: Problem) -> Reply:
    """The problem as a response."""
    headers = tuple((name.lower().encode(), value.encode()) for name, value in problem.headers.items())
    return Reply(problem.status, problem.body, headers)


def on_the_wire(problem: Problem, request_id: str, headers: Iterable[RawHeader], *, with_body: bool) -> bytes:
    """The problem as the bytes of the last response of a connection, for what no application will see."""
    lines = [
        b"HTTP/1.1 %d %s" % (problem.status, HTTPStatus(problem.status).phrase.encode("ascii")),
        *(name + b": " + value for name, value in headers),
        b"content-type: " + JSON,
        b"content-length: %d" % len(problem.body),
        *(name + b": " + value for name, value in ALWAYS),
        b"x-request-id: " + request_id.encode("ascii"),
        b"connection: close",
    ]
    return b"\r\n".join([*lines, b"", problem.body if with_body else b""])
