"""The shelf over HTTP: the catalogue's operations over its tables, and people who ask."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import psycopg
from prometheus_client import CollectorRegistry

from app.contexts.catalog.container import CatalogContainer
from app.contexts.catalog.context import CATALOG
from app.kernel.principal import Role
from app.main import contexts
from app.main.house import House
from app.platform.context import Http
from app.platform.http.asgi import HttpOptions, Services, create_app
from app.platform.http.inflight import InFlight
from tests.api_answers import check_documented
from tests.api_harness import nothing_to_open
from tests.fakes.people import FakePeople, Somebody

HOST = "shop.test"
ELSEWHERE = "http://other.test"
"""Where the other tenant is."""


@dataclass
class Shop:
    """A process that serves the catalogue. Each test has tenants of its own."""

    container: CatalogContainer
    owner_url: str
    people: FakePeople
    client: httpx.AsyncClient

    def __post_init__(self) -> None:
        self.let_in()

    def let_in(self) -> None:
        """Somebody of each kind."""
        self.admin = self.people.user("admin", role=Role.ADMIN)
        self.seller = self.people.user("seller", role=Role.SELLER)
        self.buyer = self.people.user("buyer")

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What a superuser sees, whom no policy holds."""
        with psycopg.connect(self.owner_url, autocommit=True) as owner:
            cursor = owner.execute(query.encode(), values or None)
            return cursor.fetchall() if cursor.description is not None else []

    async def get(self, target: str, who: Somebody | None = None, **headers: str) -> httpx.Response:
        """What is read there by somebody, or by nobody in particular."""
        return await self.client.get(target, headers=_headers(who, headers))

    async def send(
        self, method: str, target: str, who: Somebody | None = None, body: Any = None, **headers: str
    ) -> httpx.Response:
        """What comes of a change."""
        return await self.client.request(method, target, json=body, headers=_headers(who, headers))

    async def product(self, who: Somebody | None = None, **members: Any) -> dict[str, Any]:
        """A new product of the seller's, or of whoever it is to be."""
        answer = await self.send("POST", "/v1/products", who or self.seller, said(**members))
        assert answer.status_code == 201, answer.text
        product: dict[str, Any] = answer.json()
        return product

    async def category(self, **members: Any) -> dict[str, Any]:
        """A new category."""
        body = {"name": "A category", "slug": f"c-{uuid4().hex[:12]}"} | members
        answer = await self.send("POST", "/v1/categories", self.admin, body)
        assert answer.status_code == 201, answer.text
        category: dict[str, Any] = answer.json()
        return category

    async def replace(self, product: Mapping[str, Any], who: Somebody | None = None, **members: Any) -> httpx.Response:
        """What comes of a change of that version of a product: all that was said of it, but for these members."""
        before = {name: product[name] for name in SAID}
        headers = {"If-Match": f'"{product["version"]}"'}
        target = f"/v1/products/{product['product_id']}"
        return await self.send("PUT", target, who or self.seller, before | members, **headers)

    def events(self, product_id: str) -> list[tuple[str, int]]:
        """What was told of a product: each type with its sequence."""
        query = "SELECT type, sequence FROM catalog.outbox_events WHERE subject = %s ORDER BY id"
        return [(kind, sequence) for kind, sequence in self.rows(query, product_id)]


SAID = (
    "title", "description", "category_id", "condition", "price", "currency", "quantity", "images", "video_url",
    "specifications", "shipping_info", "is_active",
)  # fmt: skip
"""What a seller says of a product."""


def said(**members: Any) -> dict[str, Any]:
    """What a seller says of some product."""
    return {"title": "A thing", "condition": "new", "price": 1250, "currency": "USD", "quantity": 5} | members


def _headers(who: Somebody | None, headers: Mapping[str, str]) -> dict[str, str]:
    return (who.bearer if who else {}) | {name.replace("_", "-"): value for name, value in headers.items()}


def refusal(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The details of a refusal, which is of this status and code."""
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    details: dict[str, Any] = answer.json()["error"]["details"]
    return details


async def _hold_to_its_document(client: httpx.AsyncClient) -> None:
    """See to it that the document that the client is served tells of every answer that it gets from here on."""
    document = (await client.get("/openapi.json")).json()

    async def check(answer: httpx.Response) -> None:
        asked, body = answer.request, await answer.aread()
        check_documented(document, asked.method, asked.url.path, answer.status_code, answer.headers, body)

    client.event_hooks["response"].append(check)


async def _ready() -> Mapping[str, str]:
    return {}


@asynccontextmanager
async def open_shop(app_url: str, superuser_url: str, **settings: str) -> AsyncIterator[Shop]:
    """The shop over a database, as a service sees it."""
    house = House(contexts.load({"DATABASE_URL": app_url, "CONTEXTS": "catalog", **settings}))
    container: CatalogContainer = house.container("catalog")
    people, in_flight = FakePeople(), InFlight(2.0)
    http = Http(in_flight, frozenset({"USD", "EUR"}), 120.0, people.ports)
    services = Services(
        in_flight=in_flight,
        readiness=_ready,
        registry=CollectorRegistry(),
        render_metrics=lambda: b"",
        lifespan=nothing_to_open,
        people=people.ports,
    )
    assert CATALOG.operations
    assert CATALOG.serving
    app = create_app(CATALOG.operations(container, http), services, HttpOptions(api_keys=()))
    serving = CATALOG.serving(container)
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type] # an ASGI application of ours
    for pool in house.pools:
        await pool.open(wait=True)
    try:
        async with serving, httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
            await _hold_to_its_document(client)
            yield Shop(container, superuser_url, people, client)
    finally:
        for pool in house.pools:
            await pool.close()
