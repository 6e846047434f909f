"""A hall over a database of the module's own."""

from collections.abc import AsyncIterator, Iterator

import pytest
from psycopg.conninfo import conninfo_to_dict

from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.auctions.gallery import Gallery, gallery_over
from tests.auctions.hall import Hall, hall_over
from tests.auctions.verified import offenders


@pytest.fixture(scope="module")
async def hall(module_database: Urls, postgres_server: PostgresServer, patient_pools: None) -> AsyncIterator[Hall]:
    """The hall, which the tests of a file share. Behind them all of it holds."""
    async with hall_over(module_database, postgres_server) as opened:
        yield opened
        assert await offenders(opened.market) == []


@pytest.fixture(autouse=True)
async def processes_end(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Those that a test has begun end with it: each has a dozen connections."""
    yield
    if "hall" in request.fixturenames:
        await request.getfixturevalue("hall").test_ends()


@pytest.fixture(scope="module")
def gallery(module_database: Urls, postgres_server: PostgresServer, patient_pools: None) -> Iterator[Gallery]:
    """The API of auctions, which the tests of a file share."""
    name = conninfo_to_dict(module_database.app_url)["dbname"]
    assert isinstance(name, str)
    with gallery_over(module_database, postgres_server.url(name)) as gallery:
        yield gallery
