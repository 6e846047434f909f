"""A TCP proxy that understands what a client says, and can do to it what a network does at the worst moment."""

import asyncio
import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from enum import Enum, auto

from tests.platform.peers import shut
from tests.system.crash.dialects import Dialect
from tests.system.e2e.house import LIMIT_S

HOST = "127.0.0.1"


class Then(Enum):
    """What becomes of the words that a trap was set for."""

    HOLD = auto()
    """They, and whatever the client says behind them, wait until they are let go, or dropped."""
    LOSE_THE_ANSWER = auto()
    """They arrive. The answer does not: the connection breaks in its place."""
    SWALLOW_ANSWERS = auto()
    """They arrive. Nothing comes back any more, and the connection stays open."""
    CUT = auto()
    """They do not arrive: the connection breaks."""


class Trap:
    """Springs once, on the first words of any client that its pattern is found in."""

    def __init__(self, loop: asyncio.AbstractEventLoop, pattern: str, then: Then, answer: bytes) -> None:
        self.then = then
        self.answer = answer
        self.go = asyncio.Event()
        self.dropped = False
        self.is_set = True
        self._loop = loop
        self._pattern = re.compile(pattern)
        self._sprung = threading.Event()
        self._answered = threading.Event()

    def catches(self, words: list[str]) -> bool:
        """Whether these are the words; from then on others are not."""
        if not self.is_set or not any(map(self._pattern.search, words)):
            return False
        self.is_set = False
        self._sprung.set()
        return True

    def hears(self, answers: bytes) -> bool:
        """Whether the lost answer is among what came back so far."""
        if self.answer not in answers:
            return False
        self._answered.set()
        return True

    def wait(self) -> None:
        """Wait until it has sprung."""
        assert self._sprung.wait(LIMIT_S), f"nobody said {self._pattern.pattern}"

    def wait_for_the_answer(self) -> None:
        """Wait until the server has answered, which the client does not learn."""
        assert self._answered.wait(LIMIT_S), f"no answer came to {self._pattern.pattern}"

    def let_go(self) -> None:
        """Let what is held arrive."""
        self.is_set = False
        self._loop.call_soon_threadsafe(self.go.set)

    def drop(self) -> None:
        """Break the connection instead: what is held never arrives."""
        self.dropped = True
        self.let_go()


class Proxy:
    """Passes on what arrives at `port` to the server at another port. It runs in a thread of its own."""

    def __init__(self, server_port: int, speaks: Callable[[], Dialect]) -> None:
        self.port = 0
        self._server_port = server_port
        self._speaks = speaks
        self._traps: list[Trap] = []
        self._links: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._thread.start()
        assert self._ready.wait(LIMIT_S)

    @contextlib.contextmanager
    def trap(self, pattern: str, then: Then, answer: bytes = b"") -> Iterator[Trap]:
        """Set a trap. At the end it is taken away, and what it held goes on.

        `answer` is what the server's answer to the words contains; without it any answer will do.
        """
        trap = Trap(self._loop, pattern, then, answer)
        self._traps.append(trap)
        try:
            yield trap
        finally:
            self._traps.remove(trap)
            trap.let_go()

    def lead_to(self, server_port: int) -> None:
        """From now on whoever comes is led to the server at that port."""
        self._server_port = server_port

    def close(self) -> None:
        """Break every connection and end."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    async def _run(self) -> None:
        async with await asyncio.start_server(self._accept, HOST, 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            self._ready.set()
            await self._stop.wait()
            await shut(server)
            for link in self._links:
                link.cancel()
            await asyncio.gather(*self._links, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        task.add_done_callback(self._links.discard)
        try:
            server_reader, server_writer = await asyncio.open_connection(HOST, self._server_port)
        except OSError:
            writer.transport.abort()
            return
        link = _Link(writer, server_writer, self._traps, self._speaks())
        try:
            await link.run(reader, server_reader)
        except asyncio.CancelledError:
            pass  # the proxy ends; a task of a stream server that ends cancelled is reported as an error
        finally:
            for stream in (writer, server_writer):
                stream.transport.abort()


class _Link:
    """One client's connection."""

    def __init__(
        self, client: asyncio.StreamWriter, server: asyncio.StreamWriter, traps: list[Trap], dialect: Dialect
    ) -> None:
        self._client = client
        self._server = server
        self._traps = traps
        self._dialect = dialect
        self._deaf: Trap | None = None
        self._lost = bytearray()

    async def run(self, from_client: asyncio.StreamReader, from_server: asyncio.StreamReader) -> None:
        both = {asyncio.create_task(self._ask(from_client)), asyncio.create_task(self._answer(from_server))}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    async def _ask(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(65_536):
                words = self._dialect(chunk)
                trap = next((trap for trap in self._traps if trap.catches(words)), None)
                if trap is not None and not await self._caught(trap):
                    return
                self._server.write(chunk)
                await self._server.drain()

    async def _caught(self, trap: Trap) -> bool:
        """Whether the words go on to the server."""
        if trap.then is Then.HOLD:
            await trap.go.wait()
            return not trap.dropped
        if trap.then is Then.CUT:
            return False
        self._deaf = trap
        return True

    async def _answer(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(65_536):
                if self._deaf is not None:
                    self._lost += chunk
                    if self._deaf.hears(bytes(self._lost)) and self._deaf.then is Then.LOSE_THE_ANSWER:
                        return
                    continue
                self._client.write(chunk)
                await self._client.drain()
