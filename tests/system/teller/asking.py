"""How a teller is asked."""

import asyncio
import json
import socket
from typing import Any

LIMIT_S = 120.0
SOON_S = 15.0
"""What somebody waits who has others to see to."""


def ask(port: int, **asked: Any) -> dict[str, Any]:
    """What the teller at the port says.

    Raises:
        OSError: nobody is there, or whoever was has died.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as connection:
        connection.sendall(json.dumps(asked).encode() + b"\n")
        return _read(connection.makefile("rb").readline())


async def ask_soon(port: int, limit_s: float = SOON_S, **asked: Any) -> dict[str, Any]:
    """The same for who has others to see to.

    Raises:
        OSError: nobody is there, whoever was has died, or the time is over.
    """
    async with asyncio.timeout(limit_s):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(json.dumps(asked).encode() + b"\n")
            return _read(await reader.readline())
        finally:
            writer.transport.abort()


def listens(port: int) -> bool:
    """Whether somebody is there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _read(line: bytes) -> dict[str, Any]:
    if not line.endswith(b"\n"):
        raise ConnectionResetError("the teller has died")
    told: dict[str, Any] = json.loads(line)
    return told
