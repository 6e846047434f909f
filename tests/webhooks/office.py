"""Webhooks as in the product, over a real database, with events that a test tells and strangers that it is itself."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

from app.contexts.webhooks.adapters.outgoing.calling import Caller
from app.contexts.webhooks.application.send import Send
from app.contexts.webhooks.container import WebhooksContainer
from app.contexts.webhooks.domain.addresses import Address
from app.contexts.webhooks.domain.delivery import Delivery
from app.contexts.webhooks.domain.endpoint import Endpoint
from app.kernel.principal import TenantId
from app.main.contexts import load
from app.main.house import House
from app.main.local.roles import Urls
from tests.platform.peers import Peer

KEY = "a-key-of-webhooks-for-tests"
SETTINGS = {
    "CONTEXTS": "webhooks", "WEBHOOK_KEY": KEY, "WEBHOOK_ALLOW_HTTP": "true", "WEBHOOK_ALLOWED_CIDRS": "127.0.0.0/8",
}  # fmt: skip

Answer = Callable[[Peer, "Received"], Awaitable[None]]


@dataclass(frozen=True)
class Received:
    """A request as a stranger gets it."""

    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event_id(self) -> UUID:
        return UUID(self.headers["webhook-id"])

    @property
    def event(self) -> Any:
        return json.loads(self.body)


def received_of(request: bytes) -> Received:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return Received(first.split(" ")[1], {name.lower(): value for name, value in headers.items()}, body)


@dataclass
class Stranger:
    """Whoever is called: keeps what it gets, and answers as the test says (200 unless told)."""

    answer: Answer | None = None
    got: list[Received] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def __call__(self, peer: Peer) -> None:
        while True:
            received = received_of(await peer.read())
            self.got.append(received)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                if self.answer is None:
                    await peer.answer(200)
                else:
                    await self.answer(peer, received)
            finally:
                self.at_once -= 1

    def ids(self) -> list[UUID]:
        return [one.event_id for one in self.got]


def saying(status: int, *headers: str) -> Answer:
    """Always that."""

    async def answer(peer: Peer, _: Received) -> None:
        await peer.answer(status, b"whatever", *headers)

    return answer


@dataclass
class Resolver:
    """Says of names what a test says, and keeps what it was asked for."""

    known: dict[str, Sequence[Address]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        self.asked.append(host)
        await asyncio.sleep(0)
        if host not in self.known:
            raise OSError("nobody knows it")
        return self.known[host]


@dataclass
class Office:
    """What hears and sends."""

    container: WebhooksContainer
    superuser_url: str
    app_url: str
    tenant: TenantId = field(default_factory=lambda: TenantId(uuid4()))
    other_tenant: TenantId = field(default_factory=lambda: TenantId(uuid4()))

    def move_out(self) -> None:
        """Make way for tenants that nobody has heard of; nothing is sent to those before."""
        self.query("UPDATE webhooks.lanes SET is_active = false, wake_at = NULL")
        self.tenant, self.other_tenant = TenantId(uuid4()), TenantId(uuid4())

    def query(self, text: str, *values: object) -> list[Any]:
        """What a superuser sees, whom no policy holds."""
        with psycopg.connect(self.superuser_url, autocommit=True) as superuser:
            cursor = superuser.execute(text.encode(), values)
            return cursor.fetchall() if cursor.description else []

    async def endpoint(
        self, url: str, *types: str, tenant: TenantId | None = None, description: str | None = None
    ) -> tuple[Endpoint, str]:
        """An endpoint, and its secret. What happens from now on may be sent there."""
        return await self.container.manage().add(tenant or self.tenant, url, types or ("*",), description)

    async def hear(self, *documents: bytes, tenant: TenantId | None = None) -> None:
        """Have the effect of events of the tenant's, as a batch of a consumer's."""
        await self.container.hearing()([(document, tenant or self.tenant) for document in documents])

    async def happen(self, kind: str = "payment.completed", **envelope: Any) -> UUID:
        """Have one event happen now, and be heard."""
        tenant = envelope.pop("tenant", None)
        document = event(kind, **envelope)
        await self.hear(document, tenant=tenant)
        return UUID(json.loads(document)["id"])

    async def deliveries(self, endpoint: Endpoint, **how: Any) -> Sequence[Delivery]:
        """All of an endpoint's, the oldest first."""
        found = await self.container.deliveries().page(
            endpoint.tenant_id, endpoint.id, how.get("status"), None, how.get("limit", 10_000)
        )
        return [*reversed(found)]

    async def delivery(self, endpoint: Endpoint) -> Delivery:
        """The only one."""
        (found,) = await self.deliveries(endpoint)
        return found

    def hurry(self) -> None:
        """Have everything be due that waits for its next attempt, and nobody be waited with."""
        self.query("UPDATE webhooks.lanes SET open_until = now() WHERE open_until > now()")
        self.query("UPDATE webhooks.deliveries SET next_attempt_at = now() WHERE status = 'PENDING' AND NOT leased")
        self.query("UPDATE webhooks.lanes SET wake_at = now() WHERE is_active")

    def end_leases(self) -> None:
        """As if so long had passed."""
        self.query("UPDATE webhooks.deliveries SET next_attempt_at = now() WHERE leased")
        self.query("UPDATE webhooks.lanes SET wake_at = now() WHERE is_active")

    def sender(self, resolver: Resolver | None = None, **more: Any) -> Send:
        """A sender of its own, which knows the names that the resolver knows."""
        c = self.container
        caller = Caller(resolver or Resolver(), more.get("rules", c.rules()), more.get("tls"))
        return Send(_sending(c), c.record(), more.get("call", caller), more.get("seal", c.seal()), c.metrics())

    @asynccontextmanager
    async def sending(self, *senders: Send) -> AsyncIterator[None]:
        """Senders at work until the end of the block, and what they have begun is finished."""
        stop = asyncio.Event()
        tasks = [asyncio.create_task(one.run(stop)) for one in senders or (self.sender(),)]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)

    async def sent(self, endpoint: Endpoint, count: int = 1, status: str = "DELIVERED") -> None:
        """Wait until so many are so far."""

        def are() -> bool:
            ((found,),) = self.query(
                "SELECT count(*) FROM webhooks.deliveries WHERE endpoint_id = %s AND status = %s", endpoint.id, status
            )
            return bool(found >= count)

        await until(are, f"{count} of {endpoint.id} to be {status}")

    async def attempted(self, endpoint: Endpoint, attempts: int) -> None:
        """Wait until the results of so many attempts are written down."""

        def are() -> bool:
            ((found,),) = self.query("SELECT count(*) FROM webhooks.attempts WHERE endpoint_id = %s", endpoint.id)
            return bool(found >= attempts)

        await until(are, f"{attempts} attempts of {endpoint.id} to be told")


def _sending(container: WebhooksContainer) -> Any:
    return container.send()._sending


def lane(office: Office, endpoint_id: object) -> tuple[object, ...]:
    """Since when it fails, its strikes, until when nobody is called, and when somebody looks."""
    ((*found,),) = office.query(
        "SELECT failing_since, strikes, open_until, wake_at FROM webhooks.lanes WHERE endpoint_id = %s", endpoint_id
    )
    return tuple(found)


async def until(holds: Callable[[], Any], what: str = "it") -> None:
    """Wait until it holds."""
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 -- nobody tells
            await asyncio.sleep(0.01)


def event(kind: str = "payment.completed", *, at: datetime | None = None, **envelope: Any) -> bytes:
    """An event's document. Its spelling is its own: whoever re-encodes it makes other bytes of it."""
    document = {
        "specversion": "1.0", "id": uuid4(), "source": "/strongbox", "type": kind, "subject": uuid4(),
        "time": (at or datetime.now(UTC) + timedelta(milliseconds=5)).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json", "dataschema": "urn:x", "sequence": 1,
        "data": {"amount": 1250, "note": "caf\u00e9"}, **envelope,
    }  # fmt: skip
    return json.dumps(document, default=str, indent=1).encode()


@asynccontextmanager
async def office_over(urls: Urls, superuser_url: str, **settings: str) -> AsyncIterator[Office]:
    """The office over the database."""
    house = House(load({"DATABASE_URL": urls.app_url} | SETTINGS | settings))
    container: WebhooksContainer = house.container("webhooks")
    for each in ("pool", "hearing_pool", "sending_pool", "send", "clean_up", "waiting", "operate", "tell"):
        getattr(container, each)()
    async with AsyncExitStack() as stack:
        for pool in await house.open(stack):
            await pool.wait()
        yield Office(container, superuser_url, urls.app_url)
