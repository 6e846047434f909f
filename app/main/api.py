"""`strongbox api`: what it opens, runs, and closes again."""

import gc
import os
import resource
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from app.main import contexts
from app.main.house import House
from app.main.outboxes import outbox_looks
from app.main.schema_check import needed, of_contexts
from app.platform.cache.ports import Cache
from app.platform.context import Http
from app.platform.http.asgi import HttpOptions, Services, create_app
from app.platform.http.inflight import InFlight
from app.platform.http.openapi import SESSION_COOKIE
from app.platform.http.operations import Operation
from app.platform.http.server import serve
from app.platform.http.system import Documentation, system
from app.platform.limits import make as make_limits
from app.platform.metrics.exposition import ProcessMetrics
from app.platform.metrics.gauges import Look, PoolMetrics, looking, watching
from app.platform.people import People
from app.platform.postgres.schema import SchemaReader
from app.platform.process.settings import Settings, entries

_log = structlog.get_logger(__name__)

DESCRIPTORS = 65_536


def api(house: House, listener: socket.socket, *, is_worker: bool) -> None:
    """Serve the HTTP API on the socket, which workers share, until told to stop."""
    _take_descriptors()
    settings, in_flight = house.settings, InFlight(house.settings.shutdown_grace_s)
    serve(
        create_app(operations(house, in_flight), _services(house, in_flight), options(settings)),
        settings.http_host,
        settings.http_port,
        settings.shutdown_grace_s,
        keep_alive_s=settings.http_keep_alive_s,
        sockets=[listener],
        on_started=lambda port: _log.info("serving", host=settings.http_host, port=port),
        is_shared=is_worker,
    )


def operations(house: House, in_flight: InFlight) -> list[Operation]:
    """The operations of the contexts that are served."""
    return _operations(house, in_flight, house.people)


def _operations(house: House, in_flight: InFlight, people: People | None) -> list[Operation]:
    known = options(house.settings).known_currencies
    http = Http(in_flight, known, house.settings.request_timeout_s, people)
    return [
        operation
        for context in house.served
        if context.operations
        for operation in context.operations(house.container(context.name), http)
    ]


def described(http: HttpOptions) -> Sequence[Operation]:
    """All operations of an API with these options, the platform's with them, to read about, not to serve."""
    nobody: Any = None
    to_show_all = {name: value for each in contexts.CONTEXTS for name, value in each.to_show_all.items()}
    house = House(contexts.load(to_show_all))
    of_contexts = _operations(house, nobody, People(nobody, nobody, SESSION_COOKIE))
    return [*of_contexts, *system(nobody, http, Documentation())]


def options(settings: Settings) -> HttpOptions:
    """How the API behaves, by the settings."""
    return HttpOptions(
        api_keys=settings.keys,
        currencies=settings.currencies,
        expose_docs=settings.expose_docs,
        expose_metrics=settings.expose_metrics,
        cors_origins=entries(settings.cors_origins),
        trusted_proxies=entries(settings.trusted_proxies),
        forwarded_header=settings.forwarded_header,
        log_hash_key=settings.log_hash_key,
    )


def _services(house: House, in_flight: InFlight) -> Services:
    registry = house.platform.registry()
    # Before pools are opened: here each is asked for.
    servings = [each.serving(house.container(each.name)) for each in house.at_work if each.serving]
    outboxes = outbox_looks(house)
    targets = of_contexts(house.settings)
    limits = make_limits(house.settings, registry, house.settings.log_hash_key) if house.people else None
    cache = house.platform.cache() if house.people else None
    schemas = [SchemaReader(house.at(target.url).upkeep_pool, needed(target)) for target in targets]

    async def readiness() -> Mapping[str, str]:
        found: dict[str, str] = {}
        for schema in schemas:
            found |= await schema.problems()
        return found

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            pools = await house.open(stack)
            if limits:
                await stack.enter_async_context(limits.opened())
            looks: list[Look] = [ProcessMetrics(registry).look, *outboxes]
            for serving in servings:
                looks += await stack.enter_async_context(serving)
            await stack.enter_async_context(watching(looking(*looks, PoolMetrics(registry, *pools).look)))
            _keep_the_collector_quiet()
            yield

    return Services(
        in_flight=in_flight,
        readiness=readiness,
        registry=registry,
        render_metrics=lambda: generate_latest(_scraped(registry)),
        lifespan=lifespan,
        follow=house.follow,
        people=house.people,
        degraded=partial(_degraded, cache),
        limits=limits,
    )


def _degraded(cache: Cache | None) -> Mapping[str, str]:
    return {"redis": "does not answer: all is read from the database"} if cache and cache.is_degraded else {}


def _scraped(own: CollectorRegistry) -> CollectorRegistry:
    """What a scrape reads: this process's metrics, or those of all workers, wherever there are several."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return own
    of_all = CollectorRegistry()
    MultiProcessCollector(of_all)  # type: ignore[no-untyped-call]
    return of_all


def _take_descriptors() -> None:
    """Clients and calls of the gateway are one each: with slots for 512 payments more than the usual 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _keep_the_collector_quiet() -> None:
    """What is here now stays: the collector need not look at it, nor look so often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
