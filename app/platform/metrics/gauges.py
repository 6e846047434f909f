"""Metrics that are looked at now and then: what waits, what is in use, and what state the breaker is in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from app.adapters.gateway.resilience import ResilientGateway
from app.adapters.postgres.lanes import Lanes
from app.adapters.postgres.pending import PostgresPendingPayments
from app.adapters.postgres.pool import Pool
from app.adapters.postgres.reading import PostgresReader
from app.application.outbox.ports import Backlog, Upkeep
from app.application.payments.unsettled import Unsettled
from app.application.ports import Unavailable
from app.application.waiting import pause

WATCH_EVERY_S = 2.0
END_WITHIN_S = 1.0
_BREAKER = {"closed": 0, "half_open": 1, "open": 2}

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
    """What waits in the outbox, the same whichever process is asked."""

    def __init__(self, registry: CollectorRegistry) -> None:
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

    def observe(self, backlog: Backlog) -> None:
        """Take note."""
        self._lag.set(backlog.lag_s)
        self._unsent.set(backlog.depth)

    def at(self, outbox: Upkeep) -> Look:
        """How to look at an outbox."""

        async def look() -> None:
            self.observe(await outbox.backlog())

        return look


class PendingMetrics:
    """What is left PENDING, the same whichever process is asked."""

    def __init__(self, pending: PostgresPendingPayments, registry: CollectorRegistry) -> None:
        self._pending = pending
        self._count = Gauge(
            "strongbox_pending_payments",
            "Payments that are PENDING, those under way included.",
            multiprocess_mode="livemostrecent",
            registry=registry,
        )
        self._oldest = Gauge(
            "strongbox_pending_oldest_age_seconds",
            "Age of the oldest PENDING payment; 0 when there is none.",
            multiprocess_mode="livemostrecent",
            registry=registry,
        )

    async def look(self) -> None:
        """Look."""
        count, oldest_s = await self._pending.backlog()
        self._count.set(count)
        self._oldest.set(oldest_s)


class UnsettledMetrics:
    """Settlements that wait for the database to take them."""

    def __init__(self, unsettled: Unsettled, registry: CollectorRegistry) -> None:
        self._unsettled = unsettled
        self._gauge = Gauge(
            "strongbox_unsettled_payments",
            "Payments whose outcome this process knows, and the database has not taken yet.",
            multiprocess_mode="livesum",
            registry=registry,
        )

    async def look(self) -> None:
        """Look."""
        self._gauge.set(len(self._unsettled))


class GateMetrics:
    """The bulkhead's slots and the breaker's state."""

    def __init__(self, gateway: ResilientGateway, registry: CollectorRegistry) -> None:
        self._gateway = gateway
        self._in_use = Gauge(
            "strongbox_gateway_slots_in_use",
            "Payments that hold a slot of the bulkhead.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._slots = Gauge(
            "strongbox_gateway_slots", "Slots of the bulkhead.", multiprocess_mode="livesum", registry=registry
        )
        self._breaker = Gauge(
            "strongbox_gateway_breaker_state",
            "0 closed, 1 half-open, 2 open; of several workers the worst.",
            multiprocess_mode="livemax",
            registry=registry,
        )

    async def look(self) -> None:
        """Look."""
        self._in_use.set(self._gateway.gate.in_use)
        self._slots.set(self._gateway.gate.slots)
        self._breaker.set(_BREAKER[self._gateway.breaker_state])


class LaneMetrics:
    """What waits for its batch, by step."""

    def __init__(self, lanes: Mapping[str, Lanes[Any, Any] | PostgresReader], registry: CollectorRegistry) -> None:
        waiting = Gauge(
            "strongbox_batch_waiting_commands",
            "Commands that wait for their batch to begin.",
            ("step",),
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._watched = [(waiting.labels(step), one) for step, one in lanes.items()]

    async def look(self) -> None:
        """Look."""
        for waiting, lanes in self._watched:
            waiting.set(lanes.waiting)


class PoolMetrics:
    """Connections to PostgreSQL, by pool."""

    def __init__(self, registry: CollectorRegistry, *pools: Pool) -> None:
        self._pools = {pool: pool.name.removeprefix("strongbox-") for pool in pools}

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(name, text, ("pool",), multiprocess_mode="livesum", registry=registry)

        self._most = gauge("strongbox_pool_max_connections", "Connections that the pool may open.")
        self._open = gauge("strongbox_pool_connections", "Connections that the pool has open or is opening.")
        self._in_use = gauge("strongbox_pool_connections_in_use", "Connections that are lent out.")
        self._waiting = gauge("strongbox_pool_waiting_requests", "Requests that wait for a connection.")
        self._refused = Counter(
            "strongbox_pool_refused_requests",
            "Requests for a connection that got none in time.",
            ("pool",),
            registry=registry,
        )
        self._refused_before = dict.fromkeys(pools, 0)

    async def look(self) -> None:
        """Look."""
        for pool, name in self._pools.items():
            stats = pool.get_stats()
            self._most.labels(name).set(stats["pool_max"])
            self._open.labels(name).set(stats["pool_size"])
            self._in_use.labels(name).set(stats["pool_size"] - stats["pool_available"])
            self._waiting.labels(name).set(stats["requests_waiting"])
            refused = stats.get("requests_errors", 0)
            self._refused.labels(name).inc(refused - self._refused_before[pool])
            self._refused_before[pool] = refused
