"""The API on a real socket, over use cases that are told how to end, and a client for it."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from prometheus_client import CollectorRegistry, generate_latest

from app.adapters.http.answers import HttpAnswers
from app.adapters.http.asgi import HttpOptions, Services, create_app
from app.adapters.http.limits import KEEP_ALIVE_S
from app.adapters.http.server import Server, make_server
from app.application.payments.pay import OnReserved
from app.application.payments.results import Answered, StillPending
from app.application.ports import Answer, Balance, KeyScope, PaymentRequest, TransactionLine, Unavailable
from app.domain.ids import PaymentId, UserId
from app.domain.money import Currency
from app.domain.payments.payment import Payment
from app.domain.payments.provider import Approved, Declined, FailureCode, Outcome, Voided
from app.domain.refusals import (
    GatewayUnavailable,
    InsufficientFunds,
    KeyInProgress,
    KeyReused,
    ProviderNotFound,
    WalletNotFound,
)

KEY = "the-key-of-the-tests"
USER = UUID("6f0d5c1e-8a3b-4f39-9a52-0c1b7e2d4a10")
NOBODY = UUID("00000000-0000-4000-8000-000000000000")
PROVIDER = UUID("2b1d9a34-5c6e-4f70-8a9b-1c2d3e4f5a60")
AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
GRACE_S = 2.0

_OUTCOMES: Mapping[str, Outcome] = {
    "approve": Approved(),
    "decline": Declined("do_not_honor"),
    "gateway-error": Voided(FailureCode.GATEWAY_ERROR),
    "gateway-timeout": Voided(FailureCode.GATEWAY_TIMEOUT),
}
_REFUSALS: Mapping[str, Exception] = {
    "no-provider": ProviderNotFound(),
    "in-progress": KeyInProgress(PaymentId(PROVIDER)),
    "reused": KeyReused(),
    "closed": GatewayUnavailable(7),
    "unavailable": Unavailable(),
    "bug": RuntimeError("the secret of the house"),
}


class FakePay:
    """Ends each payment as its reference says. `hold` waits for the release before it reserves, `reserved` after."""

    def __init__(self) -> None:
        self.requests: list[PaymentRequest] = []
        self.finished = 0
        self.release = asyncio.Event()
        self._answers = HttpAnswers()
        self._stored: dict[KeyScope, Answer] = {}

    async def __call__(
        self, request: PaymentRequest, deadline: float, on_reserved: OnReserved
    ) -> Answered | StillPending:
        """Pay, or not."""
        self.requests.append(request)
        if stored := self._stored.get(request.scope):
            return Answered(stored, replayed=True)
        how = request.external_reference
        if how == "no-wallet":
            raise WalletNotFound(request.money.currency)
        if how in _REFUSALS:
            raise _REFUSALS[how]
        if how == "poor":
            answer = self._answers.refused(InsufficientFunds(request.money.currency, 1, request.money.amount_minor))
            return self._store(request, answer)
        if how == "hold":
            await self.release.wait()
        payment = _payment(request)
        on_reserved(payment)
        if how.startswith("pending"):
            return StillPending(payment, FailureCode(how.removeprefix("pending ")))
        if how == "reserved":
            await self.release.wait()
        final = payment.settle(_OUTCOMES.get(how, Approved()), AT)
        return self._store(request, self._answers.settled(final))

    def _store(self, request: PaymentRequest, answer: Answer) -> Answered:
        self._stored[request.scope] = answer
        self.finished += 1
        return Answered(answer)


class FakeReader:
    """A user with 450 lines in one wallet; one whose books are out of reach; one whose books never answer."""

    async def balances(self, user_id: UserId) -> Sequence[Balance]:
        """The balances."""
        if user_id == NOBODY:
            return []
        if user_id.int == 1:
            raise Unavailable
        if user_id.int == 2:
            await asyncio.Event().wait()
        return [Balance("EUR", 0, AT), Balance("USD", 2**63 - 1, AT)]

    async def transactions(
        self, user_id: UserId, currency: Currency | None, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[TransactionLine]:
        """The lines."""
        if user_id == NOBODY or currency not in (None, "USD"):
            return []
        start = 451 if before is None else before[1].int
        numbers = range(start - 1, max(0, start - 1 - limit), -1)
        return [
            TransactionLine(UUID(int=n), "PAYMENT", n, "USD", "APPROVED", 450 - n, USER, PROVIDER, f"r{n}", AT)
            for n in numbers
        ]


def _payment(request: PaymentRequest) -> Payment:
    return Payment(
        request.payment_id,
        request.transaction_id,
        request.user_id,
        request.key,
        request.provider_id,
        request.external_reference,
        request.money,
        AT,
        traceparent=request.traceparent,
    )


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
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=10)

    def release(self) -> None:
        """Let the held payments go on."""
        self.loop.call_soon_threadsafe(self.pay.release.set)

    def stop(self) -> None:
        """Begin to end, as a signal would."""
        self.server.stop()

    def is_over(self, within_s: float) -> bool:
        """Whether the server ended within the time."""
        self.thread.join(within_s)
        return not self.thread.is_alive()


OPTIONS = HttpOptions((KEY, "another-key"), ("USDC",), request_timeout_s=1.0, shutdown_grace_s=GRACE_S)


def services(
    pay: FakePay,
    problems: Mapping[str, str] | None = None,
    on_opened: Callable[[asyncio.AbstractEventLoop], None] = lambda _: None,
) -> Services:
    """What the API is given: fakes, and a readiness with these problems."""
    registry = CollectorRegistry()

    async def readiness() -> Mapping[str, str]:
        if problems and problems.get("database") == "silent":
            await asyncio.Event().wait()
        return problems or {}

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        on_opened(asyncio.get_running_loop())
        yield

    return Services(pay, FakeReader(), uuid4, readiness, registry, lambda: generate_latest(registry), lifespan)


@contextmanager
def running(options: HttpOptions = OPTIONS, keep_alive_s: int = KEEP_ALIVE_S) -> Iterator[Running]:
    """The API, served in a thread of its own until the end of the block."""
    pay, problems = FakePay(), dict[str, str]()
    loops: list[asyncio.AbstractEventLoop] = []
    ports: list[int] = []
    app = create_app(services(pay, problems, loops.append), options)
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
        assert api.is_over(GRACE_S + 6), "the server did not end"


def wait_until(condition: Any, within_s: float = 5.0) -> None:
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
