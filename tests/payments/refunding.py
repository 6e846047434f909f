"""Payments and refunds over a real socket, wired as in the product, over a real database and the mock gateway."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg

from app.contexts.funds.context import FUNDS
from app.contexts.payments.adapters.postgres.pending_refunds import PostgresPendingRefunds
from app.contexts.payments.application.refund_payment import ResolveRefund
from app.contexts.payments.container import PaymentsContainer
from app.contexts.payments.context import PAYMENTS
from app.contexts.payments.domain.outcome import FailureCode
from app.kernel.principal import Role
from app.main.contexts import load
from app.main.house import House
from app.main.local.roles import Urls
from app.platform.context import Http
from app.platform.http.inflight import InFlight
from app.platform.http.operations import Operation
from tests.api_answers import check_documented
from tests.api_harness import KEY, OPTIONS, Options
from tests.fakes.people import FakePeople, Somebody
from tests.funds.served import Served, serving

PATIENT = Options(OPTIONS.api_keys, OPTIONS.currencies, request_timeout_s=60.0)
QUICK = {
    "GATEWAY_TIMEOUT_S": "3", "GATEWAY_ATTEMPTS": "1", "REQUEST_TIMEOUT_S": "60", "RECOVER_AFTER_S": "90",
    "BREAKER_RESET_S": "9.5",
}  # fmt: skip
HELD_MS = 9_000
"""For longer than the gateway is waited for."""


@dataclass
class Counter:
    """The API over a database and a gateway. Every answer has to be documented."""

    served: Served
    superuser_url: str
    gateway: httpx.Client
    container: PaymentsContainer
    client: httpx.Client
    admin: Somebody
    machine: Somebody
    """It may pay, read and refund."""
    provider: UUID

    @property
    def people(self) -> FakePeople:
        return self.served.people

    def query(self, text: str, *values: object) -> list[Any]:
        """What a superuser sees."""
        with psycopg.connect(self.superuser_url, autocommit=True) as superuser:
            cursor = superuser.execute(text.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def mode(self, mode: str, **more: Any) -> None:
        """Have the gateway behave so from here on."""
        answer = self.gateway.put("/admin/mode", json={"mode": mode, **more})
        assert answer.status_code == 200, answer.text

    def customer(self, balance: int = 10_000, **how: Any) -> Somebody:
        """Somebody with money."""
        somebody = self.people.user(**how)
        if balance:
            self.fund(somebody, balance)
        return somebody

    def fund(self, who: Somebody, amount: int, currency: str = "USD") -> httpx.Response:
        body = {"user_id": str(who.id), "amount": amount, "currency": currency, "reference": uuid4().hex}
        root = self.people.user(role=Role.ADMIN, tenant=who.principal.tenant_id)
        answer = self.client.post("/v1/wallet/receive", json=body, headers=keyed(root))
        assert answer.status_code == 201, answer.text
        return answer

    def balance(self, who: Somebody) -> int:
        answer = self.client.get("/v1/wallet", headers=who.bearer).json()
        return int(answer["balances"][0]["current_balance"])

    def pay(self, who: Somebody, amount: int = 1_000, *, key: str | None = None, **members: Any) -> httpx.Response:
        """Pay on /v1."""
        body = {
            "provider_id": str(self.provider), "external_reference": "invoice 7", "amount": amount, "currency": "USD",
        } | members  # fmt: skip
        return self.client.post("/v1/payments", json=body, headers=keyed(who, key))

    def paid(self, who: Somebody, amount: int = 1_000, **members: Any) -> dict[str, Any]:
        """The payment."""
        answer = self.pay(who, amount, **members)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def pay_by_key(self, user_id: UUID, amount: int = 1_000) -> dict[str, Any]:
        """A payment of a holder of an API key."""
        body = {
            "provider_id": str(self.provider), "external_reference": "invoice 8", "amount": amount, "currency": "USD",
        }  # fmt: skip
        headers = {"X-API-Key": KEY, "Idempotency-Key": uuid4().hex}
        answer = self.client.post(f"/wallets/{user_id}/payments", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def refund(
        self, payment: Any, *, who: Somebody | None = None, key: str | None = None, **members: Any
    ) -> httpx.Response:
        """Give back."""
        path = f"/v1/payments/{payment['payment_id']}/refunds"
        return self.client.post(path, json=members, headers=keyed(who or self.admin, key))

    def refunded(self, payment: Any, **members: Any) -> dict[str, Any]:
        """The refund."""
        answer = self.refund(payment, **members)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def get(self, path: str, who: Somebody | None = None, **query: Any) -> httpx.Response:
        return self.client.get(path, params=query, headers=(who or self.admin).bearer)

    def given_back(self) -> dict[str, dict[str, Any]]:
        """What the gateway has given back, by refund."""
        return {entry["refund_id"]: entry for entry in self.gateway.get("/admin/refunds").json()["refunds"]}

    def events(self, refund_id: str) -> list[tuple[str, int, UUID | None]]:
        """The refund's events."""
        return self.query(
            "SELECT type, sequence, tenant_id FROM payments.outbox_events WHERE subject = %s ORDER BY sequence",
            refund_id,
        )

    def credits_of(self, refund_id: str) -> list[tuple[str, int]]:
        return self.query("SELECT kind, amount FROM transactions WHERE id = %s", refund_id)

    def recover(self, refund_id: str) -> str:
        """Let recovery see to a refund, whenever it is due; how that ended."""

        async def seen_to() -> str:
            pending: PostgresPendingRefunds = self.container.pending_refunds()
            resolve: ResolveRefund = self.container.resolve_refund()
            for refund in await pending.take(100, 0.0, 5.0):
                if str(refund.id) == refund_id:
                    deadline = asyncio.get_running_loop().time() + 5.0
                    return type(await resolve(refund, FailureCode.GATEWAY_TIMEOUT, deadline)).__name__
            return "not due"

        ended: str = self.run(seen_to())
        return ended

    def run(self, doing: Any) -> Any:
        """Have it done where the API is."""
        return asyncio.run_coroutine_threadsafe(doing, self.served.loop).result(300)


def keyed(who: Somebody, key: str | None = None) -> dict[str, str]:
    return who.bearer | {"Idempotency-Key": key or uuid4().hex}


@contextmanager
def mock_gateway() -> Iterator[httpx.Client]:
    """A mock gateway of the test's own."""
    environment = {**os.environ, "MOCK_GATEWAY_PORT": "0"}
    command = [sys.executable, "-m", "mock_gateway"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().partition(",")[0].rpartition(":")[2]
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                yield client
        finally:
            process.kill()


@contextmanager
def counter_over(urls: Urls, superuser_url: str, gateway: httpx.Client, **settings: str) -> Iterator[Counter]:
    """The API over the database and the gateway."""
    given = {"DATABASE_URL": urls.app_url, "GATEWAY_URL": str(gateway.base_url), "CONTEXTS": "funds,payments"}
    house = House(load(given | QUICK | settings))
    container: PaymentsContainer = house.container("payments")

    def offer(in_flight: InFlight, people: FakePeople) -> Sequence[Operation]:
        http = Http(in_flight, PATIENT.known_currencies, PATIENT.request_timeout_s, people.ports)
        assert PAYMENTS.operations is not None
        assert FUNDS.operations is not None
        container.pending_refunds(), container.resolve_refund(), container.settle()
        return [*FUNDS.operations(house.container("funds"), http), *PAYMENTS.operations(container, http)]

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for pool in await house.open(stack):
                await pool.wait()
            assert PAYMENTS.serving is not None
            await stack.enter_async_context(PAYMENTS.serving(container))
            yield

    with serving(offer, lifespan, PATIENT) as served, served.client() as client:
        document = client.get("/openapi.json").json()

        def check(response: httpx.Response) -> None:
            request, body = response.request, response.read()
            check_documented(document, request.method, request.url.path, response.status_code, response.headers, body)

        client.event_hooks["response"].append(check)
        provider = uuid4()
        with psycopg.connect(superuser_url, autocommit=True) as superuser:
            superuser.execute("INSERT INTO service_providers (id, name) VALUES (%s, 'p')", [provider])
        admin = served.people.user(role=Role.ADMIN)
        machine = served.people.machine("payments:write", "payments:read", "payments:refund")
        yield Counter(served, superuser_url, gateway, container, client, admin, machine, provider)
