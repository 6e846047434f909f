"""The relay's process: the outbox's events to RabbitMQ, or, where there is none, to consumers in this very process."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from app.adapters.inprocess.broker import InProcessBroker, Subscription
from app.adapters.postgres.outbox import PostgresOutbox
from app.adapters.postgres.plans import make_planned_pool
from app.adapters.postgres.pool import make_pool
from app.adapters.rabbitmq import topology
from app.adapters.rabbitmq.connection import split
from app.adapters.rabbitmq.publisher import RabbitPublisher
from app.application.outbox.ports import Publisher
from app.application.outbox.relay import BATCHES, Relay
from app.application.outbox.upkeep import keep_up
from app.main.exposition import make_registry
from app.main.local.heartbeat import beat
from app.main.processes import metrics_port
from app.main.settings import Settings
from app.main.telemetry.relay import CountedPublisher, PartitionMetrics, QueueMetrics
from app.main.telemetry.watch import OutboxMetrics, PoolMetrics, Watcher, looking
from consumers import metrics
from consumers.audit import Audit
from consumers.kit.database import Database
from consumers.kit.faults import is_the_messages

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer


async def relay(settings: Settings, in_process: bool, tracer: "Tracer | None", stop: asyncio.Event) -> None:
    """Relay until told to stop; what is being published by then is confirmed and marked first."""
    # A connection for each batch under way, and one for the leases.
    pool = make_planned_pool(settings.database_url, "strongbox-relay", BATCHES + 1)
    upkeep_pool = make_pool(settings.database_url, "strongbox-upkeep", 1)
    registry = make_registry()
    async with AsyncExitStack() as stack:
        for each in (pool, upkeep_pool):
            await each.open()
            stack.push_async_callback(each.close)
        make = _in_process if in_process else _rabbitmq
        counted = CountedPublisher(await stack.enter_async_context(make(settings)), registry)
        publisher = _traced(counted, tracer, in_process)
        owner = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"
        relaying = Relay(PostgresOutbox(pool), publisher, owner)
        looks = (PoolMetrics(registry, pool, upkeep_pool).look, PartitionMetrics(relaying, registry).look)
        watchers: list[Watcher] = [looking(*looks)]
        if not in_process:
            watchers.append(QueueMetrics(split(settings.rabbitmq_url), registry).watch)
        await stack.enter_async_context(metrics_port("relay_metrics_port", settings, registry, *watchers))
        alive = asyncio.create_task(beat("relay"))
        try:
            async with asyncio.TaskGroup() as tasks:
                upkeep = PostgresOutbox(upkeep_pool)
                tasks.create_task(keep_up(upkeep, settings.outbox_retention_h, OutboxMetrics(registry).observe, stop))
                tasks.create_task(relaying.run(stop))
        finally:
            alive.cancel()


def _traced(publisher: Publisher, tracer: "Tracer | None", in_process: bool) -> Publisher:
    if tracer is None:
        return publisher
    from app.adapters.tracing.publisher import TracedPublisher  # noqa: PLC0415 -- only when it is wanted

    return TracedPublisher(tracer, publisher, "in_process" if in_process else "rabbitmq", topology.EXCHANGE)


@asynccontextmanager
async def _rabbitmq(settings: Settings) -> AsyncIterator[Publisher]:
    publisher = RabbitPublisher(split(settings.rabbitmq_url))
    try:
        yield publisher
    finally:
        await publisher.close()


@asynccontextmanager
async def _in_process(settings: Settings) -> AsyncIterator[Publisher]:
    """The broker with both consumers on it, and the metrics consumer's port."""
    async with AsyncExitStack() as stack:

        def database(name: str) -> Database:
            opened = Database(settings.consumers_url, name)
            stack.push_async_callback(opened.close)
            return opened

        collect = partial(metrics.collect, database("strongbox-metrics-read"))
        await stack.enter_async_context(metrics_port("metrics_port", settings, make_registry(), more=collect))
        handlers: tuple[tuple[topology.Queue, Callable[[Sequence[bytes]], Awaitable[None]]], ...] = (
            (topology.METRICS, metrics.Metrics(database("strongbox-metrics"))),
            (topology.AUDIT, Audit(database("strongbox-audit"))),
        )
        yield InProcessBroker(
            [Subscription(queue.name, queue.takes, handle, is_the_messages) for queue, handle in handlers]
        )
