"""Just as much of HTTP/1.1 as a client of a node's speaks: POST with a length, answered with one, over and over."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

Answer = Callable[[bytes], Awaitable[bytes]]
"""What is answered to a body. Whoever asks waits for it, and nobody else."""

_HEAD_LIMIT: Final = 16 * 1024
_BODY_LIMIT: Final = 4 * 1024 * 1024
_END_WITHIN_S: Final = 2.0


async def serve(
    answer: Answer, host: str, port: int, stop: asyncio.Event, started: Callable[[int], Awaitable[None]]
) -> None:
    """Serve until `stop` is set; `started` is told the port, which is a free one if `port` is 0.

    Raises:
        OSError: the address cannot be served on.
    """
    clients = dict[asyncio.StreamWriter, asyncio.Future[None]]()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone = clients[writer] = asyncio.get_running_loop().create_future()
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while await _served(answer, reader, writer):
                pass
        writer.close()
        del clients[writer]
        gone.set_result(None)

    server = await asyncio.start_server(client, host, port, limit=_HEAD_LIMIT, backlog=1024)
    await started(server.sockets[0].getsockname()[1])
    await stop.wait()
    server.close()
    leaving = [*clients.values()]
    for writer in [*clients]:
        writer.close()
    if leaving:
        await asyncio.wait(leaving, timeout=_END_WITHIN_S)


async def _served(answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Answer one request; whether another may follow."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, _, rest = head[0].partition(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    length, goes_on = headers.get("content-length", "0"), headers.get("connection", "").lower() != "close"
    if not length.isascii() or not length.isdigit() or len(length) > 9 or "transfer-encoding" in headers:
        await _write(writer, "411 Length Required", b"", is_last=True)
        return False
    if int(length) > _BODY_LIMIT:
        await _write(writer, "413 Content Too Large", b"", is_last=True)
        return False
    body = await reader.readexactly(int(length))
    if method == "GET" and rest.startswith("/health"):
        await _write(writer, "200 OK", b"{}", is_last=not goes_on)
    elif method == "POST":
        await _write(writer, "200 OK", await answer(body), is_last=not goes_on)
    else:
        await _write(writer, "405 Method Not Allowed", b"", is_last=not goes_on)
    return goes_on


async def _write(writer: asyncio.StreamWriter, status: str, body: bytes, *, is_last: bool) -> None:
    close = "connection: close\r\n" if is_last else ""
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    writer.write(f"{head}{close}\r\n".encode() + body)
    await writer.drain()
