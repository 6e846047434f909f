"""Metrics of what happens behind the API: gateway, breaker, bulkhead, batches, outbox."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from app.adapters.gateway.resilience import ResilientGateway
from app.adapters.postgres.outbox import PostgresOutbox
from app.application.ports import Unavailable

WATCH_EVERY_S = 2.0
_BREAKER = {"closed": 0, "half_open": 1, "open": 2}


class GatewayMetrics:
    """Counts and times what was asked of the gateway."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            "strongbox_gateway_calls",
            "Charges, questions and voids, by how they ended.",
            ("operation", "outcome"),
            registry=registry,
        )
        self._attempts = Counter(
            "strongbox_gateway_attempts", "Requests sent for them, retries included.", ("operation",), registry=registry
        )
        self._duration = Histogram(
            "strongbox_gateway_call_duration_seconds", "Time they took, retries included.", ("operation",),
            registry=registry,
        )  # fmt: skip

    def observe(self, operation: str, outcome: str, attempts: int, elapsed_s: float) -> None:
        """Count a finished call."""
        self._calls.labels(operation, outcome.lower()).inc()
        self._attempts.labels(operation).inc(attempts)
        self._duration.labels(operation).observe(elapsed_s)


class BatchMetrics:
    """How many commands shared a transaction."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sizes = Histogram(
            "strongbox_batch_size",
            "Commands in a batch.",
            ("step",),
            buckets=(1, 2, 4, 8, 16, 32, 64, 128),
            registry=registry,
        )

    def of(self, step: str) -> Callable[[int], None]:
        """The observer of a step's batches."""
        return self._sizes.labels(step).observe


async def watch(gateway: ResilientGateway, outbox: PostgresOutbox, registry: CollectorRegistry) -> None:
    """Keep the gauges, until cancelled. While the database is away those of the outbox stand still."""

    def gauge(name: str, text: str, mode: str) -> Gauge:
        return Gauge(name, text, registry=registry, multiprocess_mode=mode)  # type: ignore[arg-type]

    lag = gauge("strongbox_outbox_lag_seconds", "Age of the oldest event that is not published yet.", "mostrecent")
    depth = gauge("strongbox_outbox_unsent_events", "Events that are not published yet.", "mostrecent")
    slots = gauge("strongbox_gateway_slots_in_use", "Payments that hold a slot of the bulkhead.", "livesum")
    breaker = gauge("strongbox_gateway_breaker_state", "0 closed, 1 half-open, 2 open.", "livemax")
    while True:
        slots.set(gateway.gate.in_use)
        breaker.set(_BREAKER[gateway.breaker_state])
        with suppress(Unavailable):
            backlog = await outbox.backlog()
            lag.set(backlog.lag_s)
            depth.set(backlog.depth)
        await asyncio.sleep(WATCH_EVERY_S)
