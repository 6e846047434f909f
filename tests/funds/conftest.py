"""The books of wallets, holds and operations, for the tests of a file."""

from collections.abc import AsyncIterator

import pytest

from app.main.local.roles import Urls
from tests.funds.moving import Books, open_books


@pytest.fixture(scope="module", autouse=True)
def all_are_patient(patient_locks: None) -> None:
    """What is tested here is not how soon a database counts as away, nor how soon a wallet counts as held."""


@pytest.fixture
async def books(module_database: Urls) -> AsyncIterator[Books]:
    """The books in PostgreSQL, which the tests of a file share: each has users of its own."""
    async with open_books(module_database) as opened:
        yield opened
        assert await opened.offenders() == []
