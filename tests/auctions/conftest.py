"""Auctions over a database of the module's own."""

from collections.abc import AsyncIterator

import pytest

from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.auctions.house import AuctionHouse, house_over
from tests.auctions.verified import offenders


@pytest.fixture(scope="module", autouse=True)
def all_are_patient(patient_pools: None) -> None:
    """What is tested here is not how soon a database counts as away."""


@pytest.fixture(autouse=True)
async def processes_end(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Those that a test has begun end with it: each has a dozen connections."""
    yield
    if "house" in request.fixturenames:
        await request.getfixturevalue("house").test_ends()


@pytest.fixture(scope="module")
async def house(module_database: Urls, postgres_server: PostgresServer) -> AsyncIterator[AuctionHouse]:
    """Auctions, which the tests of a file share; at the end nothing contradicts itself."""
    async with house_over(module_database, postgres_server) as opened:
        yield opened
        assert await offenders(opened) == []
