"""A way to a Redis on which what is heard by subscription can be swallowed: the connection stays, and nothing comes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

HOST = "127.0.0.1"


class Swallowing:
    """Passes everything on, but while `is_deaf` nothing of what is sent to connections that have subscribed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.is_deaf = False
        self.port = 0
        self._passing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Pass on meanwhile."""
        server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for task in self._passing:
                task.cancel()
            await asyncio.gather(*self._passing, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(HOST, self._port)
        subscribed = asyncio.Event()
        for passing in (self._pass(reader, back, subscribed, None), self._pass(there, writer, None, subscribed)):
            task = asyncio.create_task(passing)
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)

    async def _pass(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        subscribes: asyncio.Event | None,
        has_subscribed: asyncio.Event | None,
    ) -> None:
        try:
            with suppress(OSError):
                while words := await source.read(65_536):
                    if subscribes is not None and b"SUBSCRIBE" in words:
                        subscribes.set()
                    if has_subscribed is None or not (self.is_deaf and has_subscribed.is_set()):
                        target.write(words)
                        await target.drain()
        finally:
            target.close()
