"""A hall over a database of the module's own."""

from collections.abc import Iterator

import pytest
from psycopg.conninfo import conninfo_to_dict

from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.auctions.hall import Hall, hall_over


@pytest.fixture(scope="module")
def hall(module_database: Urls, postgres_server: PostgresServer, patient_pools: None) -> Iterator[Hall]:
    """The API of auctions, which the tests of a file share."""
    name = conninfo_to_dict(module_database.app_url)["dbname"]
    assert isinstance(name, str)
    with hall_over(module_database, postgres_server.url(name)) as hall:
        yield hall
