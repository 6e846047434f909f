"""Metrics of the relay: what it publishes, what it holds, and how full the queues are."""

import asyncio
import time
from collections.abc import Mapping, Sequence

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from app.adapters.rabbitmq import topology
from app.adapters.rabbitmq.queues import broker, depth
from app.application.outbox.ports import Confirmed, OutboxMessage, Publisher, Rejected
from app.application.outbox.relay import Relay
from app.application.ports import Unavailable
from app.application.status.judge import QueueFigures
from app.application.waiting import pause

LOOK_INTO_QUEUES_EVERY_S = 5.0

_log = structlog.get_logger(__name__)


class CountedPublisher:
    """A `Publisher` with what it publishes counted."""

    def __init__(self, publisher: Publisher, registry: CollectorRegistry) -> None:
        self._publisher = publisher
        events = Counter(
            "strongbox_relay_events",
            "Events given to the broker: published (every queue has it), rejected (the broker is up and would not take"
            " it), or failed (nothing is known of it: it will be published again).",
            ("result",),
            registry=registry,
        )
        self._published = events.labels("published")
        self._rejected = events.labels("rejected")
        self._failed = events.labels("failed")
        self._size = Histogram(
            "strongbox_relay_batch_size",
            "Events given to the broker at once.",
            buckets=(1, 5, 20, 50, 100, 200, 500, 1000, 2000),
            registry=registry,
        )
        self._duration = Histogram(
            "strongbox_relay_publish_duration_seconds",
            "Time from giving events to the broker to knowing what became of all of them.",
            registry=registry,
        )

    async def publish(self, messages: Sequence[OutboxMessage]) -> Sequence[Confirmed | Rejected]:
        """See `Publisher.publish`."""
        began = time.perf_counter()
        self._size.observe(len(messages))
        try:
            outcomes = await self._publisher.publish(messages)
        except Exception:
            self._failed.inc(len(messages))
            raise
        finally:
            self._duration.observe(time.perf_counter() - began)
        rejected = sum(isinstance(outcome, Rejected) for outcome in outcomes)
        self._published.inc(len(outcomes) - rejected)
        self._rejected.inc(rejected)
        return outcomes


class PartitionMetrics:
    """The partitions of the outbox that a relay holds."""

    def __init__(self, relay: Relay, registry: CollectorRegistry) -> None:
        self._relay = relay
        self._gauge = Gauge(
            "strongbox_relay_partitions_held",
            "Partitions of the outbox that this relay publishes from; those of all relays make up all of them.",
            registry=registry,
        )

    async def look(self) -> None:
        """Look."""
        self._gauge.set(self._relay.partitions)


class QueueMetrics:
    """How full the contract's queues and their dead-letter queues are, the same whichever relay is asked."""

    def __init__(self, brokers: Sequence[str], registry: CollectorRegistry) -> None:
        self._brokers = brokers
        self._messages = Gauge(
            "strongbox_queue_messages",
            "Messages in the queue that are with no consumer yet.",
            ("queue",),
            registry=registry,
        )
        self._consumers = Gauge("strongbox_queue_consumers", "Consumers of the queue.", ("queue",), registry=registry)

    async def watch(self, stop: asyncio.Event) -> None:
        """Look again and again until told to stop. While no broker answers there are no figures."""
        names = [name for queue in topology.QUEUES for name in (queue.name, queue.dead_letters)]
        while not stop.is_set():
            try:
                async with broker(self._brokers, "strongbox-relay-metrics") as connection:
                    while not stop.is_set():
                        self._show({name: await depth(connection, name) for name in names})
                        await pause(LOOK_INTO_QUEUES_EVERY_S, stop)
            except Exception as error:  # nobody would miss a watcher that has ended
                if not isinstance(error, Unavailable):
                    _log.error("metrics_stand_still", error=type(error).__name__)
                self._show({})
                await pause(LOOK_INTO_QUEUES_EVERY_S, stop)

    def _show(self, found: Mapping[str, QueueFigures | None]) -> None:
        # What cannot be seen has no figures: an old one would hide a full queue, or tell of one long emptied.
        self._messages.clear()
        self._consumers.clear()
        for name, figures in found.items():
            if figures is not None:
                self._messages.labels(name).set(figures.messages)
                self._consumers.labels(name).set(figures.consumers)
