"""An office that hears and sends, over a database of the module's own."""

from collections.abc import AsyncIterator, Iterator

import pytest
from psycopg.conninfo import conninfo_to_dict

from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.webhooks.desk import Desk, desk_over
from tests.webhooks.office import Office, office_over


@pytest.fixture(scope="module", autouse=True)
def all_are_patient(patient_pools: None) -> None:
    """What is tested here is not how soon a database counts as away."""


@pytest.fixture(scope="module")
def superuser_url(module_database: Urls, postgres_server: PostgresServer) -> str:
    """The module's database, as somebody sees it whom no policy holds."""
    name = conninfo_to_dict(module_database.app_url)["dbname"]
    assert isinstance(name, str)
    return postgres_server.url(name)


@pytest.fixture(scope="module")
async def opened_office(module_database: Urls, superuser_url: str) -> AsyncIterator[Office]:
    """The office of the module."""
    async with office_over(module_database, superuser_url) as office:
        yield office


@pytest.fixture
def office(opened_office: Office) -> Office:
    """The office, without an endpoint: each test has tenants and endpoints of its own."""
    opened_office.move_out()
    return opened_office


@pytest.fixture(scope="module")
def opened_desk(module_database: Urls, superuser_url: str) -> Iterator[Desk]:
    """A process that serves webhooks."""
    with desk_over(module_database, superuser_url) as desk:
        yield desk


@pytest.fixture
def desk(opened_desk: Desk) -> Desk:
    """The desk, with people of tenants that nobody has heard of."""
    opened_desk.move_out()
    return opened_desk
