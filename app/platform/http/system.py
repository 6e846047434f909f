"""What operators and the curious ask: health, readiness, metrics, and the documentation."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import json
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from app.platform.http.codes import UNAVAILABLE, ErrorCode
from app.platform.http.errors import log_unexpected, unavailable
from app.platform.http.openapi_page import page
from app.platform.http.operations import ANYONE, Handler, Operation, Request, Success
from app.platform.http.replies import Reply
from app.platform.http.services import HttpOptions, Services
from app.platform.http.shapes import Health, Readiness

READY_WITHIN_S = 1.5
DOCS = "/docs"

# The page has no scripts and loads nothing.
_PAGE_HEADERS = ((b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),)
_READY = "Whether the service can do its work"
_OK = Reply(200, json.encode(Health("ok")))


class Documentation:
    """The document of an API, which is known once all of its operations are: its own two among them."""

    def __init__(self) -> None:
        self._replies: Mapping[str, Reply] = {}

    def tell(self, document: Mapping[str, Any]) -> None:
        """Have this document served."""
        self._replies = {
            "json": Reply(200, json.encode(document)),
            "html": Reply(200, page(document).encode(), _PAGE_HEADERS, b"text/html; charset=utf-8"),
        }

    async def get_json(self, _: Request) -> Reply:
        """The document for machines."""
        return self._replies["json"]

    async def get_page(self, _: Request) -> Reply:
        """The document to read."""
        return self._replies["html"]

    @property
    def operations(self) -> Sequence[Operation]:
        """Where it is served."""
        document = Success(status=200, description="OpenAPI 3.1.", type=dict)
        to_read = Success(status=200, description="A page without scripts.", type=str, media_type="text/html")
        return [
            _system("/openapi.json", "getOpenApi", "This document", document, self.get_json),
            _system(DOCS, "getDocs", "This document, to read", to_read, self.get_page),
        ]


def system(services: Services, options: HttpOptions, documentation: Documentation) -> Sequence[Operation]:
    """The operations of the platform."""

    async def get_health(_: Request) -> Reply:
        return _OK

    async def get_readiness(_: Request) -> Reply:
        problems = await _problems(services)
        if problems:
            raise unavailable(problems)
        if degraded := services.degraded():
            return Reply(200, json.encode(Readiness("degraded", {**degraded})))
        return _OK

    async def get_metrics(_: Request) -> Reply:
        return Reply(200, services.render_metrics(), media_type=CONTENT_TYPE_PLAIN_0_0_4.encode("ascii"))

    text = Success(status=200, description="Prometheus text.", type=str, media_type="text/plain")
    metrics = _system("/metrics", "getMetrics", "Metrics for Prometheus", text, get_metrics)
    return [
        _system("/healthz", "getHealth", "Whether the process is there", _healthy("It is."), get_health),
        _system("/readyz", "getReadiness", _READY, _ready(), get_readiness, UNAVAILABLE),
        *([metrics] if options.expose_metrics else ()),
        *(documentation.operations if options.expose_docs else ()),
    ]


def _system(
    template: str, name: str, summary: str, success: Success, handler: Handler, *refusals: ErrorCode
) -> Operation:
    return Operation(
        method="GET",
        template=template,
        name=name,
        tag="system",
        summary=summary,
        who=ANYONE,
        handler=handler,
        successes=(success,),
        refusals=refusals,
    )


def _ready() -> Success:
    example = {"status": "degraded", "degraded": {"redis": "does not answer"}}
    return Success(
        status=200,
        description="It can. Where it does without something that it should have, it says so.",
        type=Readiness,
        example=example,
    )


def _healthy(description: str) -> Success:
    return Success(status=200, description=description, type=Health, example={"status": "ok"})


async def _problems(services: Services) -> Mapping[str, str]:
    """What is not ready. Finding out takes bounded time, whatever is out of reach."""
    if services.in_flight.draining:
        return {"draining": "the process is about to end"}
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            return await services.readiness()
    except TimeoutError:
        return {"readiness": f"not known within {READY_WITHIN_S:g} s"}
    except Exception as error:  # an orchestrator needs a 503 here, whatever went wrong
        log_unexpected(error)
        return {"readiness": "could not be found out"}
