"""Metrics of watching. How many watch, and why they end, is counted as of all answers that go on (`http_streams`)."""

from collections.abc import Awaitable, Callable
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, Histogram

from app.contexts.auctions.application.watch import Watch

_BUCKETS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30, 60)


class WatchMetrics:
    """How late watchers are told."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lag = Histogram(
            "strongbox_auction_watch_lag_seconds",
            "Time from an event of a watched auction until this process had read it for its watchers.",
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._behind = Gauge(
            "strongbox_auction_watch_behind_seconds",
            "For how long a process has not looked at what is watched there; 0 where nothing is.",
            multiprocess_mode="livemax",
            registry=registry,
        )

    def observe(self, age_s: float) -> None:
        """An event was read."""
        self._lag.observe(age_s)

    def look_at(self, watch: Watch) -> Callable[[], Awaitable[None]]:
        """How to look at a process's watch."""

        async def look() -> None:
            self._behind.set(watch.behind_s)

        return look
