"""What several files of these tests share: an API to ask, and the gateway's transport."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import structlog

from app.platform.http import asgi, errors
from app.platform.outgoing.transport import Http1Transport
from tests.api_answers import hold_to_its_document
from tests.api_harness import Running, running


@pytest.fixture(scope="module")
def api() -> Iterator[Running]:
    """One server for the module."""
    with running() as api:
        yield api


@pytest.fixture(scope="module")
def client(api: Running) -> Iterator[httpx.Client]:
    """A client whose every answer has to be documented."""
    with api.client() as client:
        hold_to_its_document(client)
        yield client


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the API logs, whatever the process made of logging before."""
    capture = structlog.testing.LogCapture()
    logger = structlog.wrap_logger(None, processors=[structlog.contextvars.merge_contextvars, capture])
    for module in (asgi, errors):
        monkeypatch.setattr(module, "_log", logger)
    return capture.entries


@pytest.fixture
async def transport() -> AsyncIterator[Http1Transport]:
    """A transport of a few connections."""
    made = Http1Transport(connections=8)
    yield made
    await made.aclose()
