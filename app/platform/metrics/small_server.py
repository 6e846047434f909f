"""A few pages of a process that does something else, for the few who look: HTTP/1.1, a request a connection.

Nothing is read beyond a request's head, no connection is kept, and everything has an end: a client can have it hold
little, and not for long.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Final, NamedTuple

import structlog

MAX_HEAD_BYTES: Final = 16 * 1024
MAX_CONNECTIONS: Final = 32
"""Beyond them the oldest ends: who has just come is served."""
WITHIN_S: Final = 10.0
"""How long a connection may take in all, from its first byte to its last."""
END_WITHIN_S: Final = 1.0
"""What is under way must not hold up the end for long."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Page(NamedTuple):
    """An answer."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[str, ...] = ()


Make = Callable[[], Awaitable[Page]]


@asynccontextmanager
async def serve(listener: socket.socket, pages: Mapping[str, Make]) -> AsyncIterator[None]:
    """Serve the pages, by their paths, meanwhile."""
    exchanges: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        exchanges[task] = writer
        if len(exchanges) > MAX_CONNECTIONS:
            exchanges.pop(next(iter(exchanges))).transport.abort()
        try:
            # Cancelled at the end, which the streams of Python 3.11 would take for a fault.
            with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await _exchange(reader, writer, pages)
        finally:
            exchanges.pop(task, None)
            writer.transport.abort()

    server = await asyncio.start_server(exchange, sock=listener, limit=MAX_HEAD_BYTES)
    try:
        yield
    finally:
        server.close()
        if exchanges:
            _, late = await asyncio.wait(exchanges, timeout=END_WITHIN_S)
            for task in late:
                task.cancel()


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pages: Mapping[str, Make]) -> None:
    writer.transport.set_write_buffer_limits(high=0)  # an answer is out when the system has all of it
    async with asyncio.timeout(WITHIN_S):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            head = b""
        writer.write(await _answer(head, pages))
        await writer.drain()
        # Closed with bytes unread it would be reset, and the reset may overtake the answer.
        writer.write_eof()
        while await reader.read(MAX_HEAD_BYTES):
            pass


async def _answer(head: bytes, pages: Mapping[str, Make]) -> bytes:
    method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    target, _, version = rest.partition(" ")
    if not version.startswith("HTTP/1."):
        page = Page(400, b"not HTTP/1.1, or too much of it\n")
    elif (make := pages.get(target.partition("?")[0])) is None:
        page = Page(404, b"not found\n")
    elif method not in ("GET", "HEAD"):
        page = Page(405, b"only to be read\n", headers=("allow: GET, HEAD",))
    else:
        page = await _made(make)
    phrase = HTTPStatus(page.status).phrase
    answer = [f"HTTP/1.1 {page.status} {phrase}", f"content-type: {page.content_type}"]
    answer += [f"content-length: {len(page.body)}", "connection: close", *page.headers, "", ""]
    return "\r\n".join(answer).encode("ascii") + (b"" if method == "HEAD" else page.body)


async def _made(make: Make) -> Page:
    try:
        return await make()
    except Exception as error:  # whoever looks gets an answer, and the log the kind of what went wrong
        _log.error("page_failed", error=type(error).__name__)
        return Page(500, b"a fault of ours\n")
