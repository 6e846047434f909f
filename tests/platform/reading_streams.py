"""How a client of streams reads what is sent."""

import re
import socket
from typing import Any

from tests.platform.made_up_streams import ROUTE


def read_until(connection: socket.socket, end: bytes, taken: bytes = b"") -> bytes:
    """All that comes, until that has."""
    while end not in taken:
        piece = connection.recv(65_536)
        assert piece, taken
        taken += piece
    return taken


def everything(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as answer:
        return answer.read()


def unchunked(body: bytes) -> tuple[bytes, bool]:
    """What the chunks hold, and whether the last one is there."""
    held = b""
    while match := re.match(rb"([0-9a-f]+)\r\n", body):
        size, body = int(match[1], 16), body[match.end() :]
        if size == 0:
            assert body.startswith(b"\r\n")
            return held, True
        held, body = held + body[:size], body[size + 2 :]
    return held, False


def request_lines(logged: list[Any]) -> list[dict[str, Any]]:
    return [line for line in logged if line["event"] == "request" and line["route"] == ROUTE]
