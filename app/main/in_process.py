"""Consumers in the relay's process, where there is no RabbitMQ: those of payment events, and those of contexts."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import structlog
from dependency_injector import providers
from prometheus_client import CollectorRegistry

from app.kernel.topology import Exchange, listening, queues_of
from app.main.house import House
from app.main.outboxes import heard
from app.platform.context import Work
from app.platform.messaging.faults import is_the_messages
from app.platform.messaging.handing_over import Handle
from app.platform.messaging.in_process_broker import InProcessBroker, Subscription
from app.platform.messaging.inbox import keep_clean
from app.platform.messaging.inbox_database import Database
from app.platform.messaging.ports import Publisher
from app.platform.metrics.exposition import make_registry
from app.platform.metrics.gauges import Look
from app.platform.postgres.pool import Pool
from app.platform.process.running import metrics_port
from app.platform.process.settings import Settings
from consumers import audit, metrics

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_log = structlog.get_logger(__name__)


class Place(NamedTuple):
    """How to publish to an exchange; what goes on beside it, what that shows, and the pools that it takes."""

    publisher: Callable[[Exchange], Publisher]
    works: Sequence[Work] = ()
    looks: Sequence[Look] = ()
    pools: Sequence[Pool] = ()


@asynccontextmanager
async def consumers_inside(
    settings: Settings, tracer: "Tracer | None", registry: CollectorRegistry
) -> AsyncIterator[Place]:
    """The broker with the consumers on it, and the metrics consumer's port."""
    async with AsyncExitStack() as stack:

        def database(url: str, name: str) -> Database:
            opened = Database(url, name)
            stack.push_async_callback(opened.close)
            return opened

        at = settings.consumers_url
        collect = partial(metrics.collect, database(at, "strongbox-metrics-read"))
        await stack.enter_async_context(metrics_port("metrics_port", settings, make_registry(), more=collect))
        handlers: dict[str, Handle] = {
            metrics.QUEUE.name: metrics.Metrics(database(at, "strongbox-metrics")),
            audit.QUEUE.name: audit.Audit(database(at, "strongbox-audit")),
        }
        house = House(settings, tracer)
        house.platform.registry.override(providers.Object(registry))
        works, looks = await _contexts(house, handlers, stack, database)
        yield Place(partial(_publisher, heard(settings), handlers), works, looks, house.pools)


async def _contexts(
    house: House, handlers: dict[str, Handle], stack: AsyncExitStack, database: Callable[[str, str], Database]
) -> tuple[list[Work], list[Look]]:
    """Add the handlers of the contexts' consumers; their works, and what their gauges show."""
    works: list[Work] = []
    looks: list[Look] = []
    made = [
        (context, consumer, consumer.work(house.container(context.name), True))  # noqa: FBT003 -- in the relay's process
        for context in house.contexts
        for consumer in context.consumers
    ]
    await house.open(stack)
    for context, consumer, hearing in made:
        looks += await stack.enter_async_context(hearing.around)
        handlers[consumer.queue.name] = hearing.handle
        works += hearing.works
        if hearing.inbox is not None:
            cleaning = database(house.settings.home(context.name).url, f"strongbox-{consumer.name}")
            works.append(partial(keep_clean, hearing.inbox, cleaning, house.settings.outbox_retention_h))
    return works, looks


def _publisher(heard: Sequence[Exchange], handlers: Mapping[str, Handle], exchange: Exchange) -> Publisher:
    """The broker for the events of an exchange: whoever has them by its contract, and whoever listens."""
    queues = queues_of([exchange, Exchange(exchange.name, listening(heard, exchange.name))])
    for queue in queues:
        if queue.name not in handlers:
            _log.warning("queue_without_consumer", queue=queue.name)
    return InProcessBroker(
        [Subscription(queue.name, queue.takes, handlers.get(queue.name, _let_go), is_the_messages) for queue in queues],
        mandatory=bool(exchange.queues),
    )


async def _let_go(_: Sequence[bytes]) -> None:
    """Take what RabbitMQ would keep: here is no process that could consume it, as the log says at the start."""
