"""Request metrics, by route template: never by path, so that clients cannot make series."""

from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from app.platform.http.streams import Ending

_METHODS = frozenset(("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"))
_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24)


class _Series(NamedTuple):
    total: Counter
    duration: Histogram


class RequestMetrics:
    """Counts and times requests. Routes and codes are ours, so the number of series is bounded."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._total = Counter(
            "http_requests",
            "Requests answered. Those that were not HTTP have the route `malformed`.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._duration = Histogram(
            "http_request_duration_seconds",
            "Time from a request's head to the end of its answer; of one that goes on, to its first piece.",
            ("method", "route"),
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._errors = Counter(
            "strongbox_error_answers",
            "Requests answered with an error, by the code in its body; those answered from the record included.",
            ("route", "code"),
            registry=registry,
        )
        self._replays = Counter(
            "strongbox_idempotent_replays",
            "Payment requests answered from the record of their Idempotency-Key.",
            registry=registry,
        )
        # Finding a labelled child takes a lock and several allocations; the children are few.
        self._series: dict[tuple[str, str, int], _Series] = {}

    def observe(
        self, method: str, route: str, status: int, duration_s: float, code: str | None, replayed: bool
    ) -> None:
        """Count a request. `code` is its error's; `replayed` tells whether its answer was there before it."""
        key = (method if method in _METHODS else "OTHER", route, status)
        series = self._series.get(key)
        if series is None:
            series = _Series(self._total.labels(*map(str, key)), self._duration.labels(key[0], route))
            self._series[key] = series
        series.total.inc()
        series.duration.observe(duration_s)
        if code is not None:
            self._errors.labels(route, code).inc()
        if replayed:
            self._replays.inc()


class StreamMetrics:
    """Counts answers that go on."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._open = Gauge(
            "http_streams",
            "Answers under way that go on.",
            ("route",),
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._ended = Counter(
            "http_streams_ended",
            "Answers that went on and are over, by why: said, gone, slow, drained, not_let_in, unavailable, failed.",
            ("route", "why"),
            registry=registry,
        )

    def began(self, route: str) -> None:
        """One begins."""
        self._open.labels(route).inc()

    def ended(self, route: str, ending: Ending | None) -> None:
        """It is over. Without a reason it was a bug that ended it."""
        self._open.labels(route).dec()
        self._ended.labels(route, ending or "failed").inc()
