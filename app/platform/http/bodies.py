"""Reading a request's body, within bounds."""

from litestar.types import HTTPScope, Receive

from app.platform.http.codes import PAYLOAD_TOO_LARGE
from app.platform.http.errors import Problem
from app.platform.http.headers import Head
from app.platform.http.limits import MAX_BODY_BYTES

BODY_PROBLEM = "strongbox.body_problem"
"""Where in the scope the protocol leaves what is wrong with a body that it could not receive."""


class ClientGone(Exception):  # noqa: N818 -- it says what happened
    """The client left before its request was complete: there is nobody to answer."""


def check_size(head: Head, most_bytes: int = MAX_BODY_BYTES) -> None:
    """See to it that the body is not announced as larger than what is read.

    Raises:
        Problem: it is.
    """
    if int(head.first.get(b"content-length", b"0")) > most_bytes:
        raise too_large(most_bytes)


def is_announced(head: Head) -> bool:
    """Whether there is a body; one in chunks may still be empty."""
    return b"transfer-encoding" in head.first or int(head.first.get(b"content-length", b"0")) > 0


def too_large(most_bytes: int) -> Problem:
    """The body is larger than what is read."""
    return Problem(PAYLOAD_TOO_LARGE, f"a body has at most {most_bytes} bytes")


async def read(scope: HTTPScope, receive: Receive, most_bytes: int = MAX_BODY_BYTES) -> bytes:
    """The whole body.

    Raises:
        Problem: it is too large, malformed or too slow.
        ClientGone: it will not come.
    """
    body = bytearray()
    more = True
    while more:
        message = await receive()
        problem = scope.get(BODY_PROBLEM)
        if isinstance(problem, Problem):
            # Raised itself, it would hold the frames that hold the scope, in which it is: nothing of it would be freed.
            raise Problem(problem.kind, problem.message, problem.details)
        if message["type"] != "http.request":
            raise ClientGone
        body += message["body"]
        if len(body) > most_bytes:
            raise too_large(most_bytes)
        more = message["more_body"]
    return bytes(body)


def must_close(head: Head) -> bool:
    """Whether a body left unread ends the connection: waiting for its end could take for ever."""
    chunked = b"transfer-encoding" in head.first
    return chunked or b"expect" in head.first or int(head.first.get(b"content-length", b"0")) > MAX_BODY_BYTES
