"""What is sent: a status, bytes, and headers."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from app.platform.http.errors import Problem

if TYPE_CHECKING:
    from litestar.types import Receive, Scope, Send

JSON = b"application/json"
NO_CONTENT = 204
NOT_MODIFIED = 304
RawHeader = tuple[bytes, bytes]

# A body is what its content type says.
NO_SNIFFING: tuple[RawHeader, ...] = ((b"x-content-type-options", b"nosniff"),)
# Balances are nobody's to keep.
ALWAYS: tuple[RawHeader, ...] = ((b"cache-control", b"no-store"), *NO_SNIFFING)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole response. It is an ASGI application, which Litestar's handlers may return."""

    status: int
    body: bytes
    headers: tuple[RawHeader, ...] = ()
    media_type: bytes = JSON

    async def __call__(self, _: "Scope", __: "Receive", send: "Send") -> None:
        """Send it."""
        content = ((b"content-type", self.media_type), (b"content-length", str(len(self.body)).encode("ascii")))
        await send(
            {
                "type": "http.response.start",
                "status": self.status,
                "headers": [*(() if self.status in (NO_CONTENT, NOT_MODIFIED) else content), *self.headers],
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
