"""People in a database of the module's own."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import structlog
from psycopg.conninfo import conninfo_to_dict

from app.contexts.identity import processes
from app.contexts.identity.adapters.jwt import key_set
from app.contexts.identity.application import who_stands
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from app.platform.http import asgi, errors
from tests.identity.people import Population, population
from tests.identity.processes import Process, process


@pytest.fixture(scope="module", autouse=True)
def all_are_patient(patient_locks: None) -> Iterator[None]:
    """What is tested here is not how soon a database counts as away, a row as held, or somebody as not known."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(who_stands, "OLDEST_S", 30.0)
        yield


@pytest.fixture(scope="module")
def superuser_url(module_database: Urls, postgres_server: PostgresServer) -> str:
    """The module's database, as somebody sees it whom no policy holds."""
    name = conninfo_to_dict(module_database.app_url)["dbname"]
    assert isinstance(name, str)
    return postgres_server.url(name)


@pytest.fixture(scope="module")
async def people(module_database: Urls, superuser_url: str) -> AsyncIterator[Population]:
    """Its people. A refused log-in is answered at once."""
    async with population(module_database.app_url, superuser_url, LOGIN_FLOOR_MS="0") as people:
        yield people


@pytest.fixture(scope="module")
async def api(
    module_database: Urls, superuser_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Process]:
    """A process of the API, with sessions and tokens as they are."""
    async with process(module_database.app_url, superuser_url, tmp_path_factory.mktemp("run")) as api:
        yield api


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is logged of requests, keys and sessions, whatever the process made of logging before."""
    capture = structlog.testing.LogCapture()
    logger = structlog.wrap_logger(
        None,
        processors=[structlog.contextvars.merge_contextvars, capture],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    for module in (asgi, errors, key_set, processes):
        monkeypatch.setattr(module, "_log", logger)
    return capture.entries
