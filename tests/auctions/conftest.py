"""Auctions over a database of the module's own: alone, or in a hall with the market around them."""

from collections.abc import AsyncIterator, Iterator

import pytest
from psycopg.conninfo import conninfo_to_dict

from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.auctions.hall import Hall, hall_over
from tests.auctions.house import AuctionHouse, house_over
from tests.auctions.room import Room, room_over
from tests.auctions.verified import offenders


@pytest.fixture(scope="module")
async def hall(module_database: Urls, postgres_server: PostgresServer, patient_locks: None) -> AsyncIterator[Hall]:
    """The hall, which the tests of a file share. Behind them all of it holds."""
    async with hall_over(module_database, postgres_server) as opened:
        yield opened
        assert await offenders(opened.market) == []


@pytest.fixture(scope="module")
async def house(
    module_database: Urls, postgres_server: PostgresServer, patient_locks: None
) -> AsyncIterator[AuctionHouse]:
    """Auctions with bidders and nothing else, which the tests of a file share. Behind them all of it holds.

    Nobody closes what ends there: it has its end in an hour again, however long the tests have taken since.
    """
    async with house_over(module_database, postgres_server) as opened:
        yield opened
        for (auction_id,) in await opened.all("SELECT id FROM auctions.auctions WHERE ends_at < now()"):
            await opened.pass_time(auction_id, -7_200)
        assert await offenders(opened) == []


@pytest.fixture(scope="module")
def room(module_database: Urls, postgres_server: PostgresServer, patient_pools: None) -> Iterator[Room]:
    """The API, which the tests of a file share: each has people of its own."""
    name = conninfo_to_dict(module_database.app_url)["dbname"]
    assert isinstance(name, str)
    with room_over(module_database, postgres_server.url(name)) as room:
        yield room


@pytest.fixture(autouse=True)
async def processes_end(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Those that a test has begun end with it: each has a dozen connections."""
    yield
    for name in ("hall", "house"):
        if name in request.fixturenames:
            await request.getfixturevalue(name).test_ends()
