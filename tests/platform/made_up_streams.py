"""Streams of a context that there is not: they say what a test tells them, and how it goes is seen from there."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from app.kernel.errors import Unavailable
from app.platform.http.asgi import create_app
from app.platform.http.event_stream import LAST_EVENT_ID, MEDIA_TYPE, event, event_stream, say_events
from app.platform.http.inflight import InFlight
from app.platform.http.operations import MAYBE_BEARER, Operation, Request, Success
from app.platform.http.server import Server, make_server
from app.platform.http.streamed import Streamed
from app.platform.http.streams import Stream
from app.platform.people import People
from tests.api_harness import make_services, wait_until
from tests.platform.doorman import COOKIE, Doorman
from tests.platform.made_up_market import OPTIONS, offer

ROUTE = "/v1/ticks"
FIRST = b"retry: 1000\n\n: hello\n\n"
GRACE_S = 10.0

CLOSING = b"Connection: close\r\n"
LARGE = b"x" * 20_000


@dataclass
class Ticks:
    """What is said to whoever listens: all that was told, from the first on."""

    told: list[bytes] = field(default_factory=list)
    streams: set[Stream] = field(default_factory=set)
    is_over: bool = False
    failure: Exception | None = None

    async def listen(self, request: Request) -> Streamed:
        """Say it."""
        return event_stream(lambda stream: self._say(stream, request[LAST_EVENT_ID] or 0))

    async def _say(self, stream: Stream, said: int) -> None:
        async def following() -> bytes | None:
            nonlocal said
            told, after, said = self.told[said:], said, max(said, len(self.told))
            if not told and self.failure is not None:
                raise self.failure
            if not told and self.is_over:
                return None
            return b"".join(event("tick", after + n, each) for n, each in enumerate(told, 1))

        self.streams.add(stream)
        try:
            await say_events(stream, b": hello\n\n", following)
        finally:
            self.streams.discard(stream)


@dataclass
class Ticking:
    """The API that serves them."""

    server: Server
    ticks: Ticks
    doorman: Doorman
    registry: CollectorRegistry
    port: int
    loop: asyncio.AbstractEventLoop
    thread: threading.Thread

    def tell(self, *pieces: bytes, is_over: bool = False, failure: Exception | None = None) -> None:
        """Have these said to all, and perhaps no more."""

        def do() -> None:
            self.ticks.told += pieces
            self.ticks.is_over, self.ticks.failure = is_over, failure
            for stream in self.ticks.streams:
                stream.wake()

        self.loop.call_soon_threadsafe(do)

    def connect(self, receive_bytes: int = 0) -> socket.socket:
        """A connection, whose system keeps so many bytes that nobody reads."""
        connection = socket.socket()
        connection.settimeout(60)
        if receive_bytes:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        connection.connect(("127.0.0.1", self.port))
        return connection

    def listening(self, head: bytes = b"", method: bytes = b"GET", version: bytes = b"1.1", small: int = 0) -> Any:
        """A connection on which somebody has asked."""
        connection = self.connect(small)
        connection.sendall(b"%s %s HTTP/%s\r\nHost: a\r\n%s\r\n" % (method, ROUTE.encode(), version, head))
        return connection

    def open(self) -> float:
        """How many streams there are, by the metrics."""
        return self.registry.get_sample_value("http_streams", {"route": ROUTE}) or 0.0

    def ended(self, why: str) -> float:
        """How many ended so, by the metrics."""
        return self.registry.get_sample_value("http_streams_ended_total", {"route": ROUTE, "why": why}) or 0.0


def operation(ticks: Ticks) -> Operation:
    """What offers them."""
    success = Success(status=200, description="Ticks.", type=str, media_type=MEDIA_TYPE)
    return offer(
        "GET",
        ROUTE,
        "getTicks",
        MAYBE_BEARER,
        handler=ticks.listen,
        parameters=(LAST_EVENT_ID,),
        successes=(success,),
    )


@contextmanager
def ticking() -> Iterator[Ticking]:
    """The API, served in a thread of its own until the end of the block."""
    ticks, doorman, registry = Ticks(), Doorman(), CollectorRegistry()
    nobody: Any = None
    services = replace(
        make_services(InFlight(GRACE_S)),
        registry=registry,
        render_metrics=lambda: generate_latest(registry),
        people=People(doorman, nobody, COOKIE),
    )
    served = [operation(ticks), offer("GET", "/v1/mine", "getMine", MAYBE_BEARER)]
    started: list[tuple[int, asyncio.AbstractEventLoop]] = []
    server = make_server(
        create_app(served, services, OPTIONS),
        "127.0.0.1",
        0,
        GRACE_S,
        on_started=lambda port: started.append((port, asyncio.get_running_loop())),
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: bool(started))
    try:
        yield Ticking(server, ticks, doorman, registry, *started[0], thread)
    finally:
        server.stop()
        thread.join(60)
        assert not thread.is_alive()


AWAY = Unavailable("the ticks are away")
