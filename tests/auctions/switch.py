"""A balancer on one's own machine: passes connections on to the first server that takes one, and cuts them if told."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class Switch:
    """Passes on, in a thread of its own, what comes to `port`."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = ports
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.passed = 0
        """How many connections it has passed on."""

    def cut(self) -> None:
        """Break all connections there are."""

        def do() -> None:
            for writer in self._open:
                writer.transport.abort()

        self._loop.call_soon_threadsafe(do)

    async def _serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0, backlog=1_024)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        server.close()
        for writer in self._open:
            writer.transport.abort()
        while self._open:  # noqa: ASYNC110 -- each ends by itself, now that its connections have
            await asyncio.sleep(0.01)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await self._reached()
        if there is None:
            writer.transport.abort()
            return
        self.passed += 1
        both = {writer, there[1]}
        self._open |= both
        try:
            await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))
        finally:
            self._open -= both

    async def _reached(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for port in self._ports:
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        return None


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    writer.close()


@contextmanager
def switch(*ports: int) -> Iterator[Switch]:
    """A switch before these servers, until the end of the block."""
    made, ready, stop = Switch(ports), threading.Event(), asyncio.Event()
    loop = made._loop
    thread = threading.Thread(target=loop.run_until_complete, args=(made._serve(ready, stop),))
    thread.start()
    assert ready.wait(300)
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(300)
        loop.close()
