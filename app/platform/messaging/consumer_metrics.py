"""What Prometheus is told of a consumer. It is put together when it is asked for: a message costs nothing for it."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from app.kernel.topology import Queue
from app.platform.messaging import received_events
from app.platform.messaging.worker import Counts


class ConsumerMetrics(Collector):
    """What the consumer of a queue did since it started, and how far it is behind."""

    def __init__(self, queue: Queue, counts: Counts) -> None:
        self._queue = queue.name
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        """The metrics as they are now."""
        counts = self._counts
        yield self._counter("strongbox_consumer_messages", "Messages that this process handled.", counts.handled)
        yield self._counter("strongbox_consumer_retries", "Failed messages that it tried again.", counts.retries)
        yield self._counter("strongbox_consumer_dead_letters", "Messages that it gave up.", counts.dead_letters)
        age = GaugeMetricFamily(
            "strongbox_consumer_oldest_message_age_seconds",
            "Age of the oldest event that it has in hand, by this host's clock; 0 when it has none.",
            labels=["queue"],
        )
        age.add_metric([self._queue], self._oldest_s())
        yield age
        stuck = GaugeMetricFamily(
            "strongbox_consumer_stuck_seconds",
            "For how long it cannot handle a message, by no fault of the message; 0 when it can.",
            labels=["queue"],
        )
        stuck.add_metric([self._queue], 0.0 if counts.stuck_since is None else time.monotonic() - counts.stuck_since)
        yield stuck

    def _counter(self, name: str, text: str, value: int) -> Metric:
        counter = CounterMetricFamily(name, text, labels=["queue"])
        counter.add_metric([self._queue], value)
        return counter

    def _oldest_s(self) -> float:
        # In the order in which they came, so the first is the oldest, unless it does not tell.
        times = (received_events.time(delivery.body) for delivery in self._counts.held.values())
        oldest = next((at for at in times if at is not None), None)
        return max(0.0, (datetime.now(UTC) - oldest).total_seconds()) if oldest else 0.0
