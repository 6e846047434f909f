"""The catalogue in a database of the module's own."""

from collections.abc import AsyncIterator

import pytest
from psycopg.conninfo import conninfo_to_dict

from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.catalog.shop import Shop, open_shop
from tests.catalog.stocking import Stocks, open_stocks


@pytest.fixture(scope="module", autouse=True)
def all_are_patient(patient_locks: None) -> None:
    """What is tested here is neither how soon a database counts as away nor how long a lock is waited for."""


@pytest.fixture(scope="module")
def superuser_url(module_database: Urls, postgres_server: PostgresServer) -> str:
    """The module's database, as somebody sees it whom no policy holds."""
    name = conninfo_to_dict(module_database.app_url)["dbname"]
    assert isinstance(name, str)
    return postgres_server.url(name)


@pytest.fixture
async def stocks(module_database: Urls, superuser_url: str) -> AsyncIterator[Stocks]:
    """The stock in PostgreSQL, which the tests of a file share: each has products of its own."""
    async with open_stocks(module_database.app_url, superuser_url) as opened:
        yield opened
        assert await opened.offenders() == []


@pytest.fixture(scope="module")
async def opened_shop(module_database: Urls, superuser_url: str) -> AsyncIterator[Shop]:
    """A process that serves the catalogue."""
    async with open_shop(module_database.app_url, superuser_url) as shop:
        yield shop


@pytest.fixture
def shop(opened_shop: Shop) -> Shop:
    """The shelf over HTTP: each test has tenants and people of its own."""
    opened_shop.people.move_out()
    opened_shop.let_in()
    return opened_shop
