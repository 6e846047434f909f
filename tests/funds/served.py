"""One's own wallet over a real socket, over whatever moves and reads the money."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import httpx

from app.contexts.funds.adapters.http.own_wallet import own_operations
from app.contexts.funds.adapters.http.transfers import Transfers
from app.platform.http.asgi import create_app
from app.platform.http.inflight import InFlight
from app.platform.http.limits import KEEP_ALIVE_S
from app.platform.http.operations import Operation
from app.platform.http.server import make_server
from tests.api_harness import GRACE_S, OPTIONS, Options, make_services, nothing_to_open, wait_until
from tests.fakes.api import FakeReader
from tests.fakes.people import FakePeople
from tests.fakes.transfers import FakeHolds, FakeTransfers
from tests.pace import slow

Offer = Callable[[InFlight, FakePeople], Sequence[Operation]]
Lifespan = Callable[[], AbstractAsyncContextManager[None]]


@dataclass
class Served:
    """A server under test, and the people whom it knows."""

    port: int
    people: FakePeople
    loop: asyncio.AbstractEventLoop

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=300, **options)


def made_up(transfers: FakeTransfers) -> Offer:
    """The operations over money that moves as it is told."""

    def offer(in_flight: InFlight, people: FakePeople) -> Sequence[Operation]:
        known, timeout_s = OPTIONS.known_currencies, OPTIONS.request_timeout_s
        reader = FakeReader()
        moving = Transfers(
            transfers.send, transfers.receive, transfers.answer_of, reader, people, uuid4, in_flight, known, timeout_s
        )
        own = own_operations(reader, FakeHolds(), people, in_flight, known, timeout_s)
        return [*own, *moving.operations()]

    return offer


@contextmanager
def serving(offer: Offer, lifespan: Lifespan = nothing_to_open, options: Options = OPTIONS) -> Iterator[Served]:
    """The operations, served in a thread of its own until the end of the block."""
    people, in_flight = FakePeople(), InFlight(options.shutdown_grace_s)
    loops: list[asyncio.AbstractEventLoop] = []
    ports: list[int] = []

    @asynccontextmanager
    async def living() -> AsyncIterator[None]:
        loops.append(asyncio.get_running_loop())
        async with lifespan():
            yield

    services = replace(make_services(in_flight, None, living), people=people.ports)
    app = create_app(offer(in_flight, people), services, options)
    server = make_server(app, "127.0.0.1", 0, options.shutdown_grace_s, KEEP_ALIVE_S, on_started=ports.append)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: bool(ports))
    try:
        yield Served(ports[0], people, loops[0])
    finally:
        server.stop()
        thread.join(slow(GRACE_S + 6))
        assert not thread.is_alive(), "the server did not end"
