"""Servers that do on each connection what a test wants, over real sockets."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from app.platform.outgoing.transport import Http1Transport
from app.platform.process.processes import free_port

Script = Callable[["Peer"], Awaitable[None]]


class Peer:
    """The server's end of one connection."""

    def __init__(self, server: "RawServer", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer

    async def read(self) -> bytes:
        """The next request, head and body; the connection's end ends the script."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        request = head + await self.reader.readexactly(int(length or 0))
        self.server.requests.append(request)
        return request

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, status: int, body: bytes = b"", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers, "", ""]
        await self.send("\r\n".join(lines).encode() + body)

    def reset(self) -> None:
        """RST in place of FIN."""
        linger_no_time = struct.pack("ii", 1, 0)
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_no_time)
        self.writer.transport.abort()


class RawServer:
    """Runs the test's script on every connection; when the script ends the connection is closed."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.url = ""
        self.requests: list[bytes] = []
        self.connections = 0
        self.open = 0
        self.changed = asyncio.Condition()
        self.tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self.tasks.add(task)
        self.connections += 1
        await self.count(1)
        try:
            await self.script(Peer(self, reader, writer))
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            await self.count(-1)
            self.tasks.discard(task)

    async def count(self, by: int) -> None:
        async with self.changed:
            self.open += by
            self.changed.notify_all()

    async def wait_until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(60), self.changed:
            await self.changed.wait_for(holds)


@asynccontextmanager
async def serving(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """A RawServer on a free loopback port."""
    raw = RawServer(script)
    server = await asyncio.start_server(raw.serve, "127.0.0.1", 0, backlog=1024, ssl=tls)
    raw.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield raw
    finally:
        await shut(server)
        for task in list(raw.tasks):
            task.cancel()
        await asyncio.gather(*raw.tasks, return_exceptions=True)


async def shut(server: asyncio.Server) -> None:
    """Have the server accept no more, and close it.

    What it has accepted at this very moment becomes a connection first: asyncio finds it a server that is closed
    otherwise, and leaves the socket to the collector, whose complaint meets whichever test is under way then.
    """
    loop = asyncio.get_running_loop()
    for listening in server.sockets:
        loop.remove_reader(listening)
    await asyncio.sleep(0)
    server.close()


def closed_port() -> int:
    """A port on which nothing listens."""
    return free_port()  # which nobody else is given meanwhile


async def until(holds: Callable[[], bool]) -> None:
    """Wait, within a limit, for what nothing tells of."""
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def hang(peer: Peer) -> None:
    """Say nothing until the client hangs up."""
    await peer.reader.read()


async def silent(peer: Peer) -> None:
    await peer.read()
    await hang(peer)


async def echo(peer: Peer) -> None:
    while True:
        await peer.answer(200, (await peer.read()).partition(b"\r\n\r\n")[2])


async def reset_at_once(peer: Peer) -> None:
    peer.reset()


async def reset_after_reading(peer: Peer) -> None:
    await peer.read()
    peer.reset()


async def close_after_reading(peer: Peer) -> None:
    await peer.read()


async def reset_within_the_head(peer: Peer) -> None:
    await peer.read()
    await peer.send(b"HTTP/1.1 20")
    peer.reset()


async def exchange(
    transport: Http1Transport, url: str, *, method: str = "POST", within_s: float = 5.0, **more: Any
) -> httpx.Response:
    """A request of the transport's, and its answer, whole."""
    deadline = asyncio.get_running_loop().time() + within_s
    more = {"content": b'{"n":1}', **more} if method == "POST" else more
    request = httpx.Request(method, url, extensions={"deadline": deadline}, **more)
    response = await transport.handle_async_request(request)
    await response.aread()
    return response
