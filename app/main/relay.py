"""The relay's process: events to RabbitMQ, or, where there is none, to consumers in this very process."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from prometheus_client import CollectorRegistry

from app.kernel.topology import Exchange, Publication, listening, queues_of
from app.main.in_process import Place, consumers_inside
from app.main.outboxes import heard
from app.platform.context import Work
from app.platform.messaging.lookout import Lookout
from app.platform.messaging.ports import Publisher
from app.platform.messaging.relay import BATCHES, Relay
from app.platform.messaging.upkeep import keep_up
from app.platform.metrics.exposition import make_registry
from app.platform.metrics.gauges import OutboxMetrics, PoolMetrics, looking
from app.platform.metrics.relay import CountedPublisher, PartitionMetrics, PublishingMetrics, QueueMetrics
from app.platform.postgres.outbox import PostgresOutbox
from app.platform.postgres.outboxes import PostgresOutboxes, make_looking_pool
from app.platform.postgres.plans import make_planned_pool
from app.platform.postgres.pool import make_pool
from app.platform.process.heartbeat import beat
from app.platform.process.running import metrics_port
from app.platform.process.settings import Settings
from app.platform.rabbitmq.connection import split
from app.platform.rabbitmq.publisher import RabbitPublisher

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

CONNECTIONS: Final = 2 * BATCHES
"""To relay with. An outbox that waits for a lock takes one for each of its batches, and leaves as many to the others,
which need each for a few milliseconds.
"""


async def relay(
    settings: Settings, published: Sequence[tuple[str, Publication]], in_process: bool, tracer: "Tracer | None",
    stop: asyncio.Event,
) -> None:  # fmt: skip
    """Relay the events of each publication, in the database of its URL, until told to stop.

    What is being published by then is confirmed and marked.
    """
    registry = make_registry()
    databases = {url: _Database(url, [of.schema for at, of in published if at == url]) for url, _ in published}
    pools = [pool for database in databases.values() for pool in database.pools]
    publishing, waiting = PublishingMetrics(registry), OutboxMetrics(registry)
    owner = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"
    relays: list[Relay] = []
    works: list[Work] = [database.lookout.run for database in databases.values()]
    async with AsyncExitStack() as stack:
        for each in pools:
            await each.open()
            stack.push_async_callback(each.close)
        around = consumers_inside(settings, tracer, registry) if in_process else _rabbitmq(settings)
        place = await stack.enter_async_context(around)
        for url, publication in published:
            counted = CountedPublisher(place.publisher(publication.exchange), publishing)
            publisher = _traced(counted, tracer, in_process, publication.exchange)
            outbox = PostgresOutbox(databases[url].relaying, publication.schema)
            relays.append(Relay(outbox, publisher, owner, databases[url].lookout.over(publication.schema)))
            upkeep = PostgresOutbox(databases[url].upkeep, publication.schema)
            works.append(partial(keep_up, upkeep, settings.outbox_retention_h, partial(waiting.observe, upkeep)))
        looks = PoolMetrics(registry, *pools, *place.pools).look, PartitionMetrics(relays, registry).look, *place.looks
        watchers = [looking(*looks), *(() if in_process else (_queues(settings, published, registry).watch,))]
        await stack.enter_async_context(metrics_port("relay_metrics_port", settings, registry, *watchers))
        alive = asyncio.create_task(beat("relay"))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(stop.wait())  # with nothing to relay it ends no sooner
                for work in (*works, *(each.run for each in relays), *place.works):
                    tasks.create_task(work(stop))
        finally:
            alive.cancel()


class _Database:
    """A database with the outboxes of the schemas: the pools to relay with, for upkeep, and to look by."""

    def __init__(self, url: str, schemas: Sequence[str]) -> None:
        self.relaying = make_planned_pool(url, "strongbox-relay", CONNECTIONS)
        self.upkeep = make_pool(url, "strongbox-upkeep", 1)
        looking_by = make_looking_pool(url)
        self.lookout = Lookout(PostgresOutboxes(looking_by, schemas).unsent)
        self.pools = self.relaying, self.upkeep, looking_by


def _queues(
    settings: Settings, published: Sequence[tuple[str, Publication]], registry: CollectorRegistry
) -> QueueMetrics:
    fed = [*(publication.exchange for _, publication in published), *heard(settings)]
    return QueueMetrics(split(settings.rabbitmq_url), queues_of(fed), registry)


def _traced(publisher: Publisher, tracer: "Tracer | None", in_process: bool, exchange: Exchange) -> Publisher:
    if tracer is None:
        return publisher
    from app.platform.tracing.publisher import TracedPublisher  # noqa: PLC0415 -- only when it is wanted

    return TracedPublisher(tracer, publisher, "in_process" if in_process else "rabbitmq", exchange.name)


@asynccontextmanager
async def _rabbitmq(settings: Settings) -> AsyncIterator[Place]:
    async with AsyncExitStack() as stack:

        def make(exchange: Exchange) -> Publisher:
            listeners = listening(heard(settings), exchange.name)
            publisher = RabbitPublisher(split(settings.rabbitmq_url), exchange, listening=listeners)
            stack.push_async_callback(publisher.close)
            return publisher

        yield Place(make)
