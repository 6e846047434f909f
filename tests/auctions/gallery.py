"""The API of auctions over a real socket and a real database, wired as in the product, with people of a test's own."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from app.contexts.auctions.context import AUCTIONS
from app.main.contexts import load
from app.main.house import House
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from app.platform.context import Http
from app.platform.http.inflight import InFlight
from app.platform.http.operations import Operation
from tests.api_harness import OPTIONS, Options
from tests.auctions.hammer import Hammer
from tests.fakes.people import FakePeople
from tests.funds.served import Served, serving

T = TypeVar("T")

CONTEXTS = "funds,payments,catalog,ordering,auctions"
PATIENT = Options(OPTIONS.api_keys, OPTIONS.currencies, request_timeout_s=120.0)


@dataclass
class Gallery:
    """The API, and who writes its auctions."""

    served: Served
    superuser_url: str
    client: httpx.Client
    house: House

    @property
    def people(self) -> FakePeople:
        return self.served.people

    def query(self, text: str, *values: object) -> list[Any]:
        """What a superuser sees, whom no policy holds."""
        with psycopg.connect(self.superuser_url, autocommit=True) as superuser:
            cursor = superuser.execute(text.encode(), values)
            return cursor.fetchall() if cursor.description else []

    @property
    def hammer(self) -> Hammer:
        """Of the tenant of the house."""
        return Hammer(self.superuser_url, self.people.tenant)


@contextmanager
def gallery_over(urls: Urls, superuser_url: str) -> Iterator[Gallery]:
    """The API over the database."""
    house = House(load({"DATABASE_URL": urls.app_url, "GATEWAY_URL": "http://127.0.0.1:1", "CONTEXTS": CONTEXTS}))
    container = house.container("auctions")

    def offer(in_flight: InFlight, people: FakePeople) -> Sequence[Operation]:
        http = Http(in_flight, PATIENT.known_currencies, PATIENT.request_timeout_s, people.ports)
        assert AUCTIONS.operations is not None
        return AUCTIONS.operations(container, http)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        assert AUCTIONS.serving is not None
        async with AsyncExitStack() as stack:
            working = AUCTIONS.serving(container)
            for pool in await house.open(stack):
                await pool.wait()
            await stack.enter_async_context(working)
            yield

    with serving(offer, lifespan, PATIENT) as served, served.client() as client:
        yield Gallery(served, superuser_url, client, house)


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine comes to, for a test that has no loop."""
    return asyncio.run(work)


@pytest.fixture(scope="module")
def gallery(module_database: Urls, postgres_server: PostgresServer, patient_locks: None) -> Iterator[Gallery]:
    """The API of auctions, which the tests of a file share."""
    name = conninfo_to_dict(module_database.app_url)["dbname"]
    assert isinstance(name, str)
    with gallery_over(module_database, postgres_server.url(name)) as gallery:
        yield gallery
