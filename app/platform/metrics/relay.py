"""Metrics of the relay: what it publishes, what it holds, and how full the queues are."""

import asyncio
import time
from collections.abc import Mapping, Sequence

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from app.kernel.errors import Unavailable
from app.kernel.topology import Queue
from app.platform.messaging.ports import Confirmed, OutboxMessage, Outcome, Publisher, Rejected
from app.platform.messaging.relay import Relay
from app.platform.operations.judgement import QueueFigures
from app.platform.process.waiting import pause
from app.platform.rabbitmq.queues import broker, depth

LOOK_INTO_QUEUES_EVERY_S = 5.0

_log = structlog.get_logger(__name__)


class PublishingMetrics:
    """What a relay publishes, to all of its exchanges."""

    def __init__(self, registry: CollectorRegistry) -> None:
        events = Counter(
            "strongbox_relay_events",
            "Events given to the broker: published (every queue has it), rejected (the broker is up and would not take"
            " it), or failed (nothing is known of it: it will be published again).",
            ("result",),
            registry=registry,
        )
        self.published = events.labels("published")
        self.rejected = events.labels("rejected")
        self.failed = events.labels("failed")
        self.size = Histogram(
            "strongbox_relay_batch_size",
            "Events given to the broker at once.",
            buckets=(1, 5, 20, 50, 100, 200, 500, 1000, 2000),
            registry=registry,
        )
        self.duration = Histogram(
            "strongbox_relay_publish_duration_seconds",
            "Time from giving events to the broker to knowing what became of all of them.",
            registry=registry,
        )


class CountedPublisher:
    """A `Publisher` with what it publishes counted."""

    def __init__(self, publisher: Publisher, metrics: PublishingMetrics) -> None:
        self._publisher = publisher
        self._metrics = metrics

    async def publish(self, messages: Sequence[OutboxMessage]) -> Sequence[Outcome]:
        """See `Publisher.publish`."""
        began = time.perf_counter()
        self._metrics.size.observe(len(messages))
        try:
            outcomes = await self._publisher.publish(messages)
        except Exception:
            self._metrics.failed.inc(len(messages))
            raise
        finally:
            self._metrics.duration.observe(time.perf_counter() - began)
        self._metrics.published.inc(sum(isinstance(outcome, Confirmed) for outcome in outcomes))
        self._metrics.rejected.inc(sum(isinstance(outcome, Rejected) for outcome in outcomes))
        return outcomes


class PartitionMetrics:
    """The partitions that a process's relays hold, one of each outbox."""

    def __init__(self, relays: Sequence[Relay], registry: CollectorRegistry) -> None:
        self._relays = relays
        self._gauge = Gauge(
            "strongbox_relay_partitions_held",
            "Partitions of the outboxes that this relay publishes from; those of all relays make up all of them.",
            registry=registry,
        )

    async def look(self) -> None:
        """Look."""
        self._gauge.set(sum(relay.partitions for relay in self._relays))


class QueueMetrics:
    """How full queues and their dead-letter queues are, the same whichever relay is asked."""

    def __init__(self, brokers: Sequence[str], queues: Sequence[Queue], registry: CollectorRegistry) -> None:
        self._brokers = brokers
        self._queues = queues
        self._messages = Gauge(
            "strongbox_queue_messages",
            "Messages in the queue that are with no consumer yet.",
            ("queue",),
            registry=registry,
        )
        self._consumers = Gauge("strongbox_queue_consumers", "Consumers of the queue.", ("queue",), registry=registry)

    async def watch(self, stop: asyncio.Event) -> None:
        """Look again and again until told to stop. While no broker answers there are no figures."""
        names = [name for queue in self._queues for name in (queue.name, queue.dead_letters)]
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
