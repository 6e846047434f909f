"""Cashback over a real socket, wired as in the product, over a real database, with people of the test's own."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
from dependency_injector import providers

from app.contexts.chain.public import ChainAway
from app.contexts.rewards.container import RewardsContainer
from app.contexts.rewards.context import REWARDS
from app.kernel.principal import Role
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

CONTEXTS = "funds,payments,chain,rewards"
PATIENT = Options(OPTIONS.api_keys, OPTIONS.currencies, request_timeout_s=120.0)
ADDRESS = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


@dataclass
class FakeChain:
    """What a test says that addresses have; away, or silent, when the test says so."""

    balances: dict[str, int] = field(default_factory=dict)
    is_away: bool = False
    is_silent: bool = False

    async def balance(self, address: str, timeout_s: float) -> int:
        if self.is_silent:
            await asyncio.Event().wait()
        if self.is_away:
            raise ChainAway("it is away")
        return self.balances.get(address, 0)


@dataclass
class Shop:
    """The API over a database, and the handler of the queue. Every answer has to be documented."""

    served: Served
    superuser_url: str
    container: RewardsContainer
    chain: FakeChain
    client: httpx.Client
    till: Somebody
    """A machine that may record purchases."""
    admin: Somebody

    @property
    def people(self) -> FakePeople:
        return self.served.people

    def user(self, address: str | None = None, **how: Any) -> Somebody:
        """Somebody of whom an event has told, unless `is_told` is false."""
        is_told = how.pop("is_told", True)
        somebody = self.people.user(**how)
        if is_told:
            self.tell(somebody, address)
        return somebody

    def tell(self, who: Somebody, address: str | None = None, sequence: int = 1, **more: Any) -> None:
        """Tell of somebody, as identity does."""
        kind = "user.registered" if sequence == 1 else "user.address_linked"
        data = {"user_id": who.id, "tenant_id": who.principal.tenant_id, "wallet_address": address}
        self.hear(kind, data, subject=who.id, sequence=sequence, **more)

    def hear(self, kind: str, data: dict[str, Any], **envelope: Any) -> None:
        """Have the effect of an event."""
        self.hear_all([event(kind, data, **envelope)])

    def hear_all(self, documents: Sequence[bytes]) -> None:
        """Have the effects of events, as a batch of a consumer's."""
        handling = self.container.hearing()(documents)
        asyncio.run_coroutine_threadsafe(handling, self.served.loop).result(300)

    def query(self, text: str, *values: object) -> list[Any]:
        """What a superuser sees, whom no policy holds."""
        with psycopg.connect(self.superuser_url, autocommit=True) as superuser:
            cursor = superuser.execute(text.encode(), values)
            return cursor.fetchall() if cursor.description is not None else []

    def execute(self, text: str, named: Mapping[str, object] | None = None) -> None:
        """Do something as a superuser, whom no policy holds."""
        with psycopg.connect(self.superuser_url, autocommit=True) as superuser:
            superuser.execute(text.encode(), named)

    def rule(self, basis_points: int = 100, currency: str = "USD", **said: Any) -> dict[str, Any]:
        """A rule, as its admin is shown it."""
        body = {"basis_points": basis_points, "currency": currency} | said
        answer = self.client.post("/v1/rewards/rules", json=body, headers=self.admin.bearer)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def no_rules(self) -> None:
        """Have none in force."""
        self.query("UPDATE rewards.rules SET is_active = false")

    def buy(
        self, who: Somebody, amount: Any = 1_000, *, key: str | None = None, machine: Somebody | None = None,
        **members: Any,
    ) -> httpx.Response:  # fmt: skip
        """Record that somebody has bought something."""
        body = {
            "user_id": str(who.id), "merchant": "lamps", "external_reference": uuid4().hex, "amount": amount,
            "currency": "USD", **members,
        }  # fmt: skip
        headers = (machine or self.till).bearer | {"Idempotency-Key": key or uuid4().hex}
        return self.client.post("/v1/purchases", json=body, headers=headers)

    def bought(self, who: Somebody, amount: int = 1_000, **members: Any) -> dict[str, Any]:
        """The purchase."""
        answer = self.buy(who, amount, **members)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def refund(self, purchase: Any, *, key: str | None = None, **members: Any) -> httpx.Response:
        """Record that of a purchase something was given back."""
        body = {"reference": uuid4().hex} | members
        headers = self.till.bearer | {"Idempotency-Key": key or uuid4().hex}
        return self.client.post(f"/v1/purchases/{purchase['purchase_id']}/refund", json=body, headers=headers)

    def get(self, who: Somebody, path: str, **query: Any) -> httpx.Response:
        return self.client.get(path, params=query, headers=who.bearer)

    def balance(self, who: Somebody) -> tuple[int, int, int, int]:
        """Where somebody stands: accrued, minting, minted, debt."""
        answer = self.get(who, "/v1/cashback/balance")
        assert answer.status_code == 200, answer.text
        found = answer.json()
        return int(found["accrued"]), int(found["minting"]), int(found["minted"]), int(found["debt"])

    def kinds(self, who: Somebody) -> list[tuple[str, int]]:
        """Somebody's lines, the oldest first."""
        lines = self.get(who, "/v1/cashback", limit=200).json()["lines"]
        return [(line["kind"], int(line["amount"])) for line in reversed(lines)]

    def told(self, who: Somebody, kind: str) -> list[dict[str, Any]]:
        """The data of somebody's events of the kind, in their order."""
        rows = self.query(
            "SELECT payload FROM rewards.outbox_events WHERE user_id = %s AND type = %s ORDER BY id", who.id, kind
        )
        return [payload["data"] for (payload,) in rows]

    def mint(self, who: Somebody, asked: dict[str, Any], **envelope: Any) -> None:
        """Have it be minted, as its consumer tells."""
        self.hear("mint.completed", minted(asked), **envelope)

    def fail(self, who: Somebody, asked: dict[str, Any], **envelope: Any) -> None:
        """Have it not be minted."""
        self.hear("mint.failed", failed(asked), **envelope)


def minted(asked: dict[str, Any]) -> dict[str, Any]:
    """What is told of what was asked for once it is minted."""
    return {name: asked[name] for name in ("request_id", "entry_id", "user_id", "amount")} | {
        "tx_hash": "0x" + "1" * 64
    }


def failed(asked: dict[str, Any]) -> dict[str, Any]:
    """What is told of what was asked for and will not be minted."""
    return {name: asked[name] for name in ("request_id", "entry_id", "user_id")} | {"reason": "reverted"}


def event(kind: str, data: dict[str, Any], **envelope: Any) -> bytes:
    """An event's document."""
    document = {
        "specversion": "1.0", "id": uuid4(), "source": "/strongbox", "type": kind, "subject": uuid4(),
        "time": "2026-11-28T03:00:00.000000Z", "datacontenttype": "application/json", "dataschema": "urn:x",
        "sequence": 1, "data": data, **envelope,
    }  # fmt: skip
    return json.dumps(document, default=str).encode()


def payment(who: Somebody | UUID, amount: int = 1_000, **more: Any) -> dict[str, Any]:
    """The data of a payment."""
    user_id = who if isinstance(who, UUID) else who.id
    return {
        "payment_id": uuid4(), "user_id": user_id, "provider_id": uuid4(), "amount": amount, "currency": "USD",
        "status": "APPROVED", **more,
    }  # fmt: skip


@contextmanager
def shop_over(urls: Urls, superuser_url: str, **settings: str) -> Iterator[Shop]:
    """The shop's API over the database."""
    given = {"DATABASE_URL": urls.app_url, "GATEWAY_URL": "http://127.0.0.1:1", "CONTEXTS": CONTEXTS}
    house = House(load(given | settings))
    container: RewardsContainer = house.container("rewards")
    chain = FakeChain()
    container.chain.override(providers.Object(chain))

    def offer(in_flight: InFlight, people: FakePeople) -> Sequence[Operation]:
        http = Http(in_flight, PATIENT.known_currencies, PATIENT.request_timeout_s, people.ports)
        assert REWARDS.operations is not None
        container.hearing()
        return REWARDS.operations(container, http)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for pool in await house.open(stack):
                await pool.wait()
            yield

    with serving(offer, lifespan, PATIENT) as served, served.client() as client:
        document = client.get("/openapi.json").json()

        def check(response: httpx.Response) -> None:
            request, body = response.request, response.read()
            check_documented(document, request.method, request.url.path, response.status_code, response.headers, body)

        client.event_hooks["response"].append(check)
        till, admin = served.people.machine("purchases:write"), served.people.user(role=Role.ADMIN)
        yield Shop(served, superuser_url, container, chain, client, till, admin)
