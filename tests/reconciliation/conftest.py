"""A desk over a database of the module's own."""

from collections.abc import Iterator

import pytest
from psycopg.conninfo import conninfo_to_dict

from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.reconciliation.desk import Desk, desk_over


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
def opened_desk(module_database: Urls, superuser_url: str) -> Iterator[Desk]:
    """A process that serves reconciliation."""
    with desk_over(module_database, superuser_url) as desk:
        yield desk


@pytest.fixture
def desk(opened_desk: Desk) -> Desk:
    """The desk, with tenants of the test's own."""
    opened_desk.move()
    return opened_desk
