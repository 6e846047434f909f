"""What several files of these tests share: an API to ask, and the gateway's transport."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import structlog

from app.adapters.gateway.transport import Http1Transport
from app.adapters.http import asgi, errors
from tests.integration.api_answers import check_documented
from tests.integration.api_harness import Running, running


@pytest.fixture(scope="module")
def api() -> Iterator[Running]:
    """One server for the module."""
    with running() as api:
        yield api


@pytest.fixture(scope="module")
def client(api: Running) -> Iterator[httpx.Client]:
    """A client whose every answer has to be documented."""
    with api.client() as client:
        document = client.get("/openapi.json").json()

        def check(response: httpx.Response) -> None:
            request = response.request
            body = response.read()
            check_documented(document, request.method, request.url.path, response.status_code, response.headers, body)

        client.event_hooks["response"].append(check)
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
