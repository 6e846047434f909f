"""A shop over a database of the module's own."""

from collections.abc import Iterator

import pytest
from psycopg.conninfo import conninfo_to_dict

from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.rewards.shop import Shop, shop_over


@pytest.fixture(scope="module", autouse=True)
def all_are_patient(patient_locks: None) -> None:
    """What is tested here is neither how soon a database counts as away nor how long a lock is waited for."""


@pytest.fixture(scope="module")
def superuser_url(module_database: Urls, postgres_server: PostgresServer) -> str:
    """The module's database, as somebody sees it whom no policy holds."""
    name = conninfo_to_dict(module_database.app_url)["dbname"]
    assert isinstance(name, str)
    return postgres_server.url(name)


@pytest.fixture(scope="module")
def opened_shop(module_database: Urls, superuser_url: str) -> Iterator[Shop]:
    """A process that serves cashback."""
    with shop_over(module_database, superuser_url) as shop:
        yield shop


@pytest.fixture
def shop(opened_shop: Shop) -> Shop:
    """The shop, without a rule in force: each test has people and rules of its own."""
    opened_shop.no_rules()
    return opened_shop
