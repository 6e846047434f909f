"""What operators and the curious ask: health, readiness, metrics, and the documentation."""

import asyncio
from collections.abc import Mapping, Sequence

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp
from msgspec import json
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from app.adapters.http.docs import page
from app.adapters.http.errors import log_unexpected, unavailable
from app.adapters.http.inflight import InFlight
from app.adapters.http.openapi import document
from app.adapters.http.replies import Reply
from app.adapters.http.services import HttpOptions, Services
from app.adapters.http.views import Health

READY_WITHIN_S = 1.5

# The page has no scripts and loads nothing.
_PAGE_HEADERS = ((b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),)


def system(services: Services, options: HttpOptions, in_flight: InFlight) -> Sequence[HTTPRouteHandler]:
    """The handlers beside the wallets'."""
    ok = Reply(200, json.encode(Health("ok")))

    @get("/healthz")
    async def get_health() -> ASGIApp:
        return ok

    @get("/readyz")
    async def get_readiness() -> ASGIApp:
        problems = await _problems(services, in_flight)
        if problems:
            raise unavailable(problems)
        return ok

    @get("/metrics")
    async def get_metrics() -> ASGIApp:
        return Reply(200, services.render_metrics(), media_type=CONTENT_TYPE_PLAIN_0_0_4.encode("ascii"))

    return [get_health, get_readiness, get_metrics, *_documentation(options)]


def _documentation(options: HttpOptions) -> Sequence[HTTPRouteHandler]:
    described = document(options)
    as_json = Reply(200, json.encode(described))
    as_page = Reply(200, page(described).encode(), _PAGE_HEADERS, b"text/html; charset=utf-8")

    @get("/openapi.json")
    async def get_openapi() -> ASGIApp:
        return as_json

    @get("/docs")
    async def get_docs() -> ASGIApp:
        return as_page

    return [get_openapi, get_docs]


async def _problems(services: Services, in_flight: InFlight) -> Mapping[str, str]:
    """What is not ready. Finding out takes bounded time, whatever is out of reach."""
    if in_flight.draining:
        return {"draining": "the process is about to end"}
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            return await services.readiness()
    except TimeoutError:
        return {"readiness": f"not known within {READY_WITHIN_S:g} s"}
    except Exception as error:  # an orchestrator needs a 503 here, whatever went wrong
        log_unexpected(error)
        return {"readiness": "could not be found out"}
