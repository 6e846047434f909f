"""The long-running processes: what each opens, runs, and closes again."""

import asyncio
import gc
import os
import resource
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import psycopg
import structlog
import uvloop
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from app.adapters.http.asgi import HttpOptions, Services, create_app
from app.adapters.http.server import serve
from app.adapters.postgres.collations import collations_that_changed
from app.adapters.postgres.inspection import why
from app.adapters.postgres.integrity import append_only_is_enforced, snapshot
from app.adapters.postgres.lanes import Lanes
from app.adapters.postgres.pool import Pool
from app.adapters.postgres.reading import PostgresReader
from app.adapters.postgres.schema import Expected, SchemaReader, problems
from app.adapters.sessions import UnfitSession, is_away
from app.application.payments.recover import Recover
from app.application.payments.results import Answered, StillPending
from app.application.ports import Unavailable
from app.application.rounds import Rounds
from app.application.waiting import pause
from app.domain.payments.payment import Payment
from app.main import migrations
from app.main.container import Container
from app.main.exposition import Collect, ProcessMetrics, nothing
from app.main.exposition import serve as serve_metrics
from app.main.ids import uuid7
from app.main.local.heartbeat import beat
from app.main.settings import Settings
from app.main.telemetry.recovery import RecoveryMetrics, TimedPending
from app.main.telemetry.watch import (
    GateMetrics,
    LaneMetrics,
    Look,
    OutboxMetrics,
    PendingMetrics,
    PoolMetrics,
    UnsettledMetrics,
    Watcher,
    looking,
    watching,
)

_log = structlog.get_logger(__name__)

RECOVERY_CONCURRENCY = 64
PURGE_EVERY_S = 5.0
PURGE_BATCH = 1_000
SCHEMA_PATIENCE_S = 30.0
DESCRIPTORS = 65_536


class CannotServe(Exception):  # noqa: N818 -- the message is what counts
    """A process refuses to start; the message says why, and what to do."""


async def check_schema(settings: Settings) -> None:
    """Refuse to serve in a database that the service cannot work in. One that is not there yet is waited for, a while.

    Raises:
        CannotServe: the schema is behind, something else is wrong with the database, or it stayed away.
    """
    loop = asyncio.get_running_loop()
    patience = loop.time() + SCHEMA_PATIENCE_S
    while True:
        try:
            return await _look_at_the_database(settings)
        except psycopg.Error as error:
            passes = is_away(error) and not isinstance(error, UnfitSession)
            if not passes or loop.time() > patience:
                raise CannotServe(why(error)) from None
            _log.warning("database_out_of_reach", reason=why(error), patience_s=round(patience - loop.time()))
            await asyncio.sleep(1)


def _expected(settings: Settings) -> Expected:
    """What the database of the service must have when a process starts."""
    whole, _ = migrations.expected(settings.database_url, settings.consumers_url)
    return whole


def _needed(settings: Settings) -> Expected:
    """What no payment can do without: a grant of the consumers' that is lost takes no API away."""
    service, _ = migrations.targets(settings.database_url, settings.consumers_url)
    return replace(_expected(settings), grants=service.expected.grants, sequences=service.expected.sequences)


async def _look_at_the_database(settings: Settings) -> None:
    async with snapshot(settings.database_url) as books:
        if found := await problems(books, _expected(settings)):
            raise CannotServe("; ".join(f"{name}: {problem}" for name, problem in found.items()))
        enforced = await append_only_is_enforced(books)
        reordered = await collations_that_changed(books)
    if not enforced:
        _log.warning("append_only_not_enforced", reason="DATABASE_URL logs in as the owner or a superuser")
    if reordered:
        _log.warning("collation_changed", reason=reordered)


def api(container: Container, settings: Settings, listener: socket.socket, *, is_worker: bool) -> None:
    """Serve the HTTP API on the socket, which workers share, until told to stop."""
    _take_descriptors()
    schema = SchemaReader(container.upkeep_pool(), _needed(settings))

    async def readiness() -> Mapping[str, str]:
        return await schema.problems()

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            pools = (
                container.starting_pool(),
                container.finishing_pool(),
                container.reading_pool(),
                container.upkeep_pool(),
            )
            await _open(stack, *pools)
            stack.push_async_callback(container.gateway().aclose)
            lanes = {"mark": container.mark(), "settle": container.settle(), "reserve": container.reserve()}
            for each in lanes.values():
                stack.push_async_callback(each.drain)
            stack.push_async_callback(container.unsettled().end)
            looks = _looks(container, lanes | {"read": container.reader()}, *pools)
            process = ProcessMetrics(container.registry())
            await stack.enter_async_context(watching(looking(process.look, *looks)))
            _keep_the_collector_quiet()
            yield

    services = Services(
        pay=container.pay(),
        reader=container.reader(),
        ids=uuid7,
        readiness=readiness,
        render_metrics=lambda: generate_latest(_scraped(container.registry())),
        lifespan=lifespan,
        registry=container.registry(),
        follow=container.follow(),
    )
    options = HttpOptions(
        api_keys=settings.keys,
        currencies=settings.currencies,
        request_timeout_s=settings.request_timeout_s,
        shutdown_grace_s=settings.shutdown_grace_s,
        expose_docs=settings.expose_docs,
        expose_metrics=settings.expose_metrics,
    )
    serve(
        create_app(services, options),
        settings.http_host,
        settings.http_port,
        settings.shutdown_grace_s,
        keep_alive_s=settings.http_keep_alive_s,
        sockets=[listener],
        on_started=lambda port: _log.info("serving", host=settings.http_host, port=port),
        is_shared=is_worker,
    )


async def recover(container: Container, settings: Settings, stop: asyncio.Event) -> None:
    """Finish what was left PENDING, and purge expired keys, until told to stop."""
    attempt_s = 2 * settings.gateway_timeout_s + 1.0
    metrics = RecoveryMetrics(container.registry())

    def observe(payment: Payment, result: Answered | StillPending | Exception) -> None:
        metrics.observe(result)
        _note_recovery(payment, result)

    worker = Recover(
        TimedPending(container.pending(), container.registry()),
        container.recovering(),
        older_than_s=settings.recover_after_s,
        every_s=settings.recover_every_s,
        attempt_s=attempt_s,
        concurrency=RECOVERY_CONCURRENCY,
        observe=observe,
    )
    async with AsyncExitStack() as stack:
        pools = (container.finishing_pool(), container.upkeep_pool())
        await _open(stack, *pools)
        stack.push_async_callback(container.gateway().aclose)
        lanes = {"mark": container.mark(), "settle": container.settle()}
        for each in lanes.values():
            stack.push_async_callback(each.drain)
        stack.push_async_callback(container.unsettled().end)
        looks = _looks(container, lanes, *pools)
        await stack.enter_async_context(
            metrics_port("recover_metrics_port", settings, container.registry(), looking(*looks))
        )
        async with asyncio.TaskGroup() as tasks:
            alive = tasks.create_task(beat("recover"))
            tasks.create_task(_purge(container, settings.idempotency_ttl_h, stop))
            await worker.run(stop)
            alive.cancel()


def run_until_stopped(process: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run the process; SIGTERM and SIGINT ask it to stop."""

    async def guarded() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        _log.info("started")
        await process(stop)
        _log.info("stopped")

    uvloop.run(guarded())


@asynccontextmanager
async def metrics_port(
    name: str, settings: Settings, registry: CollectorRegistry, *watchers: Watcher, more: Collect = nothing
) -> AsyncIterator[None]:
    """Serve a process's metrics meanwhile on the port of the named setting, with the watchers at work; 0 is no port.

    Raises:
        CannotServe: the port cannot be had.
    """
    port = getattr(settings, name)
    async with AsyncExitStack() as stack:
        if port:
            try:
                await stack.enter_async_context(serve_metrics(settings.http_host, port, registry, more=more))
            except OSError as error:
                where = f"{settings.http_host}:{port}"
                raise CannotServe(f"{name.upper()}: cannot serve on {where}: {error.strerror}") from None
            await stack.enter_async_context(watching(*watchers))
        yield


def _looks(container: Container, lanes: Mapping[str, Lanes[Any, Any] | PostgresReader], *pools: Pool) -> Sequence[Look]:
    """What the gauges of a process show that takes or finishes payments."""
    registry = container.registry()
    return (
        OutboxMetrics(registry).at(container.outbox()),
        PendingMetrics(container.pending(), registry).look,
        UnsettledMetrics(container.unsettled(), registry).look,
        GateMetrics(container.gateway(), registry).look,
        LaneMetrics(lanes, registry).look,
        PoolMetrics(registry, *pools).look,
    )


async def _purge(container: Container, ttl_h: float, stop: asyncio.Event) -> None:
    rounds = Rounds("key_purge")
    while not stop.is_set():
        purged = 0
        with rounds.survived():
            purged = await container.pending().purge_keys(ttl_h, PURGE_BATCH)
        await pause(0.02 if purged == PURGE_BATCH else rounds.wait_s(PURGE_EVERY_S), stop)


def _note_recovery(payment: Payment, result: Answered | StillPending | Exception) -> None:
    match result:
        case Answered():
            _log.info("payment_recovered", payment_id=str(payment.id), user_id=str(payment.user_id))
        case StillPending(_, why):
            _log.warning("payment_still_pending", payment_id=str(payment.id), why=why.value)
        case Unavailable():
            _log.warning("payment_not_recovered", payment_id=str(payment.id), why=str(result))
        case error:
            _log.error("payment_not_recovered", payment_id=str(payment.id), error=type(error).__name__)


def _scraped(own: CollectorRegistry) -> CollectorRegistry:
    """What a scrape reads: this process's metrics, or those of all workers, wherever there are several."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return own
    of_all = CollectorRegistry()
    MultiProcessCollector(of_all)  # type: ignore[no-untyped-call]
    return of_all


async def _open(stack: AsyncExitStack, *pools: Pool) -> None:
    for pool in pools:
        await pool.open()
        stack.push_async_callback(pool.close)


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
