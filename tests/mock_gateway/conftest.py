"""A mock gateway that a module shares, with a clean record for each test."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.mock_gateway.mock_gateway_process import Mock, emptied, running


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Mock]:
    async with running() as mock:
        yield mock


@pytest.fixture
async def gateway(server: Mock) -> Mock:
    return await emptied(server)


@pytest.fixture
def payment() -> str:
    return str(uuid4())
