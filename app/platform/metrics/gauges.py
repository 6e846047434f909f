"""Metrics that are looked at now and then: what waits, and what is in use."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from app.kernel.errors import Unavailable
from app.platform.messaging.ports import Backlog, Upkeep
from app.platform.postgres.pool import Pool
from app.platform.process.waiting import pause

WATCH_EVERY_S = 2.0
END_WITHIN_S = 1.0

_log = structlog.get_logger(__name__)

Look = Callable[[], Awaitable[None]]
Watcher = Callable[[asyncio.Event], Coroutine[None, None, None]]
"""Keeps gauges up until the event is set."""


@asynccontextmanager
async def watching(*watchers: Watcher) -> AsyncIterator[None]:
    """Have the watchers at work meanwhile.

    At the end each may finish its look: a broker's client takes a cancellation in the midst of a call for something
    else. One that takes its time is cancelled.
    """
    stop = asyncio.Event()
    tasks = [asyncio.create_task(watcher(stop)) for watcher in watchers]
    try:
        yield
    finally:
        stop.set()
        for task in tasks:
            await asyncio.wait({task}, timeout=END_WITHIN_S)
            task.cancel()


def looking(*looks: Look) -> Watcher:
    """What looks again and again. What cannot be seen for now stands still."""

    async def watch(stop: asyncio.Event) -> None:
        while not stop.is_set():
            for look in looks:
                try:
                    await look()
                except Unavailable:
                    pass
                except Exception as error:  # the other gauges must not stand still for it
                    _log.error("metrics_stand_still", error=type(error).__name__)
            await pause(WATCH_EVERY_S, stop)

    return watch


class OutboxMetrics:
    """What waits in the outboxes, the same whichever process is asked: of all of them, and the oldest in any."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seen: dict[Upkeep, Backlog] = {}
        self._lag = Gauge(
            "strongbox_outbox_lag_seconds",
            "Age of the oldest event that is not published yet; 0 when there is none.",
            multiprocess_mode="livemostrecent",
            registry=registry,
        )
        self._unsent = Gauge(
            "strongbox_outbox_unsent_events",
            "Events that are not published yet, counted up to 100,000.",
            multiprocess_mode="livemostrecent",
            registry=registry,
        )

    def observe(self, outbox: Upkeep, backlog: Backlog) -> None:
        """Take note of what waits in one of them."""
        self._seen[outbox] = backlog
        self._lag.set(max(seen.lag_s for seen in self._seen.values()))
        self._unsent.set(sum(seen.depth for seen in self._seen.values()))

    def at(self, outbox: Upkeep) -> Look:
        """How to look at an outbox."""

        async def look() -> None:
            self.observe(outbox, await outbox.backlog())

        return look


class PoolMetrics:
    """Connections to PostgreSQL, by what pools are for: those of several databases are added up."""

    def __init__(self, registry: CollectorRegistry, *pools: Pool) -> None:
        self._pools = {pool: pool.name.removeprefix("strongbox-") for pool in pools}

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(name, text, ("pool",), multiprocess_mode="livesum", registry=registry)

        self._gauges = (
            gauge("strongbox_pool_max_connections", "Connections that the pool may open."),
            gauge("strongbox_pool_connections", "Connections that the pool has open or is opening."),
            gauge("strongbox_pool_connections_in_use", "Connections that are lent out."),
            gauge("strongbox_pool_waiting_requests", "Requests that wait for a connection."),
        )
        self._refused = Counter(
            "strongbox_pool_refused_requests",
            "Requests for a connection that got none in time.",
            ("pool",),
            registry=registry,
        )
        self._refused_before = dict.fromkeys(pools, 0)

    async def look(self) -> None:
        """Look."""
        seen: dict[str, list[int]] = {}
        for pool, name in self._pools.items():
            stats = pool.get_stats()
            figures = (
                stats["pool_max"],
                stats["pool_size"],
                stats["pool_size"] - stats["pool_available"],
                stats["requests_waiting"],
            )
            seen[name] = [sum(pair) for pair in zip(seen.get(name, (0, 0, 0, 0)), figures, strict=True)]
            refused = stats.get("requests_errors", 0)
            self._refused.labels(name).inc(refused - self._refused_before[pool])
            self._refused_before[pool] = refused
        for name, figures_of_all in seen.items():
            for gauge, figure in zip(self._gauges, figures_of_all, strict=True):
                gauge.labels(name).set(figure)
