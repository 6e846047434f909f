"""The API of webhooks over a real socket, wired as in the product, with people of the test's own."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg

from app.contexts.webhooks.container import WebhooksContainer
from app.contexts.webhooks.context import WEBHOOKS
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
from tests.webhooks.office import SETTINGS

PATIENT = Options(OPTIONS.api_keys, OPTIONS.currencies, request_timeout_s=120.0)
URL = "https://shop.example/hook"


@dataclass
class Desk:
    """The API over a database. Every answer has to be documented."""

    served: Served
    superuser_url: str
    container: WebhooksContainer
    client: httpx.Client
    admin: Somebody

    @property
    def people(self) -> FakePeople:
        return self.served.people

    def move_out(self) -> None:
        """Make way for people of other tenants."""
        self.people.move_out()
        self.admin = self.people.user(role=Role.ADMIN)

    def query(self, text: str, *values: object) -> list[Any]:
        """What a superuser sees, whom no policy holds."""
        with psycopg.connect(self.superuser_url, autocommit=True) as superuser:
            cursor = superuser.execute(text.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def ask(
        self, method: str, path: str = "", body: Any = None, who: Somebody | None = None, **query: Any
    ) -> httpx.Response:
        """Ask about webhooks."""
        return self.client.request(
            method, f"/v1/webhooks{path}", json=body, params=query, headers=(who or self.admin).bearer
        )

    def add(self, *types: str, url: str = URL, who: Somebody | None = None, **more: Any) -> dict[str, Any]:
        """A webhook, with its secret."""
        answer = self.ask("POST", body={"url": url, "types": types or ["*"], **more}, who=who)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def deliveries(self, webhook: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
        """Newest first."""
        answer = self.ask("GET", f"/{webhook['webhook_id']}/deliveries", **query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["deliveries"]
        return found

    def hear(self, *documents: bytes, tenant: Any = None) -> None:
        """Have the effect of events of the tenant's."""
        import asyncio

        handling = self.container.hearing()([(one, tenant or self.people.tenant) for one in documents])
        asyncio.run_coroutine_threadsafe(handling, self.served.loop).result(300)


@contextmanager
def desk_over(urls: Urls, superuser_url: str, **settings: str) -> Iterator[Desk]:
    """The API over the database."""
    house = House(load({"DATABASE_URL": urls.app_url} | SETTINGS | settings))
    container: WebhooksContainer = house.container("webhooks")

    def offer(in_flight: InFlight, people: FakePeople) -> Sequence[Operation]:
        http = Http(in_flight, PATIENT.known_currencies, PATIENT.request_timeout_s, people.ports)
        assert WEBHOOKS.operations
        container.hearing()
        return WEBHOOKS.operations(container, http)

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
        yield Desk(served, superuser_url, container, client, served.people.user(role=Role.ADMIN))
