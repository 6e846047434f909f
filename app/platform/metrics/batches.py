"""Metrics of commands that share a transaction."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, Gauge, Histogram

from app.platform.postgres.lanes import BatchObserver


class Queued(Protocol):
    """Commands go through it in batches."""

    @property
    def waiting(self) -> int:
        """How many wait for their batch to begin."""
        ...


class BatchMetrics:
    """How many commands shared a transaction, how long it took, and how many wait for theirs."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sizes = Histogram(
            "strongbox_batch_size",
            "Commands in a batch.",
            ("step",),
            buckets=(1, 2, 4, 8, 16, 32, 64, 128),
            registry=registry,
        )
        self._durations = Histogram(
            "strongbox_batch_duration_seconds",
            "Time a batch took, its transaction and its repetitions.",
            ("step",),
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
            registry=registry,
        )

        self._waiting = Gauge(
            "strongbox_batch_waiting_commands",
            "Commands that wait for their batch to begin.",
            ("step",),
            multiprocess_mode="livesum",
            registry=registry,
        )

    def watch(self, lanes: Mapping[str, Queued]) -> Callable[[], Awaitable[None]]:
        """How to look at what waits, by step."""
        watched = [(self._waiting.labels(step), one) for step, one in lanes.items()]

        async def look() -> None:
            for waiting, one in watched:
                waiting.set(one.waiting)

        return look

    def of(self, step: str) -> BatchObserver:
        """The observer of a step's batches."""
        size, duration = self._sizes.labels(step), self._durations.labels(step)

        def observe(commands: int, elapsed_s: float) -> None:
            size.observe(commands)
            duration.observe(elapsed_s)

        return observe
