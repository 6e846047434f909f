"""One's own wallet over a real socket, wired as in the product, over a real database, with people of the test's own."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import psycopg

from app.contexts.funds.context import FUNDS
from app.main.contexts import load
from app.main.house import House
from app.main.local.roles import Urls
from app.platform.context import Http
from app.platform.http.inflight import InFlight
from app.platform.http.operations import Operation
from tests.api_answers import check_documented
from tests.api_harness import OPTIONS, Options
from tests.fakes.people import FakePeople, Somebody
from tests.funds.served import Served, serving

CONTEXTS = "funds,payments"
PATIENT = Options(OPTIONS.api_keys, OPTIONS.currencies, request_timeout_s=120.0)


@dataclass
class Bank:
    """The API over a database, and who may pay in. Every answer has to be documented."""

    served: Served
    urls: Urls
    machine: Somebody
    client: httpx.Client
    _references: Iterator[int] = field(default_factory=lambda: iter(range(10**6)))

    @property
    def people(self) -> FakePeople:
        return self.served.people

    def query(self, text: str, *values: object) -> list[Any]:
        with psycopg.connect(self.urls.owner_url, autocommit=True) as owner:
            cursor = owner.execute(text.encode(), values)
            return cursor.fetchall() if cursor.description is not None else []

    def user(self, username: str | None = None, *, holding: int = 0, currency: str = "USD", **how: Any) -> Somebody:
        """A user who holds so much."""
        somebody = self.people.user(username, **how)
        if holding:
            machine = self.people.machine("wallet:receive", tenant=somebody.principal.tenant_id)
            answer = self.receive(somebody, holding, f"holding {next(self._references)}", currency, who=machine)
            assert answer.status_code == 201, answer.text
        return somebody

    def send(
        self, sender: Somebody, to: str | Somebody, amount: int = 1, *, key: str | None = None, currency: str = "USD",
        **more: Any,
    ) -> httpx.Response:  # fmt: skip
        to = str(to.id) if isinstance(to, Somebody) else to
        return self.client.post(
            "/v1/wallet/send",
            json={"to": to, "amount": amount, "currency": currency} | more,
            headers=sender.bearer | {"Idempotency-Key": key or uuid4().hex},
        )

    def bulk(
        self, who: Somebody, transfers: Sequence[Any], mode: str = "all", *, key: str | None = None, **more: Any
    ) -> httpx.Response:
        return self.client.post(
            "/v1/wallet/send/bulk",
            json={"transfers": transfers, "mode": mode} | more,
            headers=who.bearer | {"Idempotency-Key": key or uuid4().hex},
        )

    def receive(
        self, user: Somebody, amount: int, reference: str, currency: str = "USD", *, key: str | None = None,
        who: Somebody | None = None,
    ) -> httpx.Response:  # fmt: skip
        return self.client.post(
            "/v1/wallet/receive",
            json={"user_id": str(user.id), "amount": amount, "currency": currency, "reference": reference},
            headers=(who or self.machine).bearer | {"Idempotency-Key": key or uuid4().hex},
        )

    def get(self, who: Somebody, what: str = "", **query: Any) -> httpx.Response:
        return self.client.get(f"/v1/wallet{what}", headers=who.bearer, params=query)

    def balance(self, who: Somebody, currency: str = "USD") -> int | None:
        """What can be spent; None where there is no wallet."""
        balances = self.get(who).json()["balances"]
        return next((b["current_balance"] for b in balances if b["currency"] == currency), None)

    def lines(self, who: Somebody) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(who, "/transactions").json()["transactions"]
        return found


@contextmanager
def bank_over(urls: Urls, options: Options = PATIENT) -> Iterator[Bank]:
    """The API over the database, with whatever funds run beside it."""
    house = House(load({"DATABASE_URL": urls.app_url, "CONTEXTS": CONTEXTS}))
    container = house.container("funds")

    def offer(in_flight: InFlight, people: FakePeople) -> Sequence[Operation]:
        http = Http(in_flight, options.known_currencies, options.request_timeout_s, people.ports)
        assert FUNDS.operations is not None
        return FUNDS.operations(container, http)

    assert FUNDS.serving is not None
    running = FUNDS.serving(container)  # which asks for its pools before they are opened

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await house.open(stack)
            await stack.enter_async_context(running)
            yield

    with serving(offer, lifespan, options) as served, served.client() as client:
        document = client.get("/openapi.json").json()

        def check(response: httpx.Response) -> None:
            request, body = response.request, response.read()
            check_documented(document, request.method, request.url.path, response.status_code, response.headers, body)

        client.event_hooks["response"].append(check)
        yield Bank(served, urls, served.people.machine("wallet:receive"), client)
