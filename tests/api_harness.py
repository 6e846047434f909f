"""The API on a real socket, over use cases that are told how to end, and a client for it."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from prometheus_client import CollectorRegistry, generate_latest

from app.contexts.funds.adapters.http import operations as funds
from app.contexts.payments.adapters.http import operations as payments
from app.platform.http.asgi import Api, HttpOptions, Services, create_app
from app.platform.http.inflight import InFlight
from app.platform.http.limits import KEEP_ALIVE_S
from app.platform.http.server import Server, make_server
from app.platform.tenants import TenantOfKeys
from tests.fakes.api import PROVIDER, USER, FakePay, FakeReader
from tests.pace import slow

KEY = "the-key-of-the-tests"
GRACE_S = 2.0


@dataclass
class Running:
    """A server under test."""

    server: Server
    pay: FakePay
    loop: asyncio.AbstractEventLoop
    port: int
    problems: dict[str, str]
    thread: threading.Thread

    def client(self, *, key: str | None = KEY) -> httpx.Client:
        """A client that keeps its connections, with an API key."""
        headers = {"X-API-Key": key} if key else {}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=60)

    def release(self) -> None:
        """Let the held payments go on."""
        self.loop.call_soon_threadsafe(self.pay.release.set)

    def stop(self) -> None:
        """Begin to end, as a signal would."""
        self.server.stop()

    def is_over(self, within_s: float) -> bool:
        """Whether the server ended within the time."""
        self.thread.join(slow(within_s))
        return not self.thread.is_alive()


@dataclass(frozen=True, slots=True)
class Options(HttpOptions):
    """How the API under test behaves, and how long it takes for requests and for its end."""

    request_timeout_s: float = 5.0
    shutdown_grace_s: float = GRACE_S


OPTIONS = Options((KEY, "another-key"), ("USDC",))


Lifespan = Callable[[], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def nothing_to_open() -> AsyncIterator[None]:
    """The lifespan of services that need nothing."""
    yield


def make_services(
    in_flight: InFlight, problems: Mapping[str, str] | None = None, lifespan: Lifespan = nothing_to_open
) -> Services:
    """What the API is given beside its operations: a readiness with these problems."""
    registry = CollectorRegistry()

    async def readiness() -> Mapping[str, str]:
        if problems and problems.get("database") == "silent":
            await asyncio.Event().wait()
        return problems or {}

    return Services(in_flight, readiness, registry, lambda: generate_latest(registry), lifespan)


def make_app(
    pay: FakePay,
    problems: Mapping[str, str] | None = None,
    lifespan: Lifespan = nothing_to_open,
    options: Options = OPTIONS,
) -> Api:
    """The API over fakes."""
    in_flight = InFlight(options.shutdown_grace_s)
    known, timeout_s = options.known_currencies, options.request_timeout_s
    offered = [
        *payments.operations(pay, uuid4, in_flight, known, timeout_s, TenantOfKeys(None)),
        *funds.operations(FakeReader(), in_flight, known, timeout_s),
    ]
    return create_app(offered, make_services(in_flight, problems, lifespan), options)


@contextmanager
def running(options: Options = OPTIONS, keep_alive_s: int = KEEP_ALIVE_S) -> Iterator[Running]:
    """The API, served in a thread of its own until the end of the block."""
    pay, problems = FakePay(), dict[str, str]()
    loops: list[asyncio.AbstractEventLoop] = []
    ports: list[int] = []

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        loops.append(asyncio.get_running_loop())
        yield

    app = make_app(pay, problems, lifespan, options)
    server = make_server(app, "127.0.0.1", 0, options.shutdown_grace_s, keep_alive_s, on_started=ports.append)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: bool(ports))
    api = Running(server, pay, loops[0], ports[0], problems, thread)
    try:
        yield api
    finally:
        if thread.is_alive():
            api.release()
        server.stop()
        assert api.is_over(options.shutdown_grace_s + 6), "the server did not end"


def wait_until(condition: Any, within_s: float = 60.0) -> None:
    """Wait for the condition, up to a limit."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def order(reference: str = "approve", **changes: Any) -> dict[str, Any]:
    """The body of a payment that ends as the reference says."""
    return {
        "provider_id": str(PROVIDER),
        "external_reference": reference,
        "amount": 1250,
        "currency": "USD",
    } | changes


PAYMENTS = f"/wallets/{USER}/payments"


def post(client: httpx.Client, reference: str = "approve", key: str | None = None, **changes: Any) -> httpx.Response:
    """Ask for a payment."""
    return client.post(PAYMENTS, json=order(reference, **changes), headers={"Idempotency-Key": key or uuid4().hex})


def error(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The details of an error, which is of this status and code."""
    assert response.status_code == status, response.text
    assert response.json()["error"]["code"] == code
    details: dict[str, Any] = response.json()["error"]["details"]
    return details
