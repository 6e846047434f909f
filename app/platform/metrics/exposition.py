"""A process's metrics in Prometheus' text form, on a port of its own, with what every process says of itself."""

import platform
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Metric,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE

from app.platform.http.sockets import listen
from app.platform.metrics import small_server as pages
from app.platform.metrics.small_server import Page

__all__ = ["CONTENT_TYPE", "Collect", "ProcessMetrics", "make_registry", "nothing", "serve"]

from app.platform.process.logging import lost

Collect = Callable[[], Awaitable[Sequence[Metric]]]


def make_registry() -> CollectorRegistry:
    """A registry for the metrics of this process."""
    # Twice the series, for resets that Prometheus sees by itself.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    return CollectorRegistry()


class ProcessMetrics:
    """What a process is and takes, by the standard names; of several workers what they take together.

    prometheus_client's own collector shows one process: whichever answers the scrape.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        build = Gauge(
            "strongbox_build_info",
            "Always 1; the labels say which version runs.",
            ("version", "python"),
            multiprocess_mode="max",
            registry=registry,
        )
        build.labels(version("strongbox"), platform.python_version()).set(1)
        self._lost = Counter(
            "strongbox_log_lines_lost",
            "Log lines that nobody read in time, or that found no room on the disk.",
            registry=registry,
        )
        self._lost_before = 0
        self._cpu = Counter("process_cpu_seconds", "User and system CPU time spent, in seconds.", registry=registry)
        self._gauges = {
            "process_resident_memory_bytes": Gauge(
                "process_resident_memory_bytes", "Resident memory.", multiprocess_mode="livesum", registry=registry
            ),
            "process_open_fds": Gauge(
                "process_open_fds", "Open file descriptors.", multiprocess_mode="livesum", registry=registry
            ),
            "process_max_fds": Gauge(
                "process_max_fds", "File descriptors that may be open.", multiprocess_mode="livesum", registry=registry
            ),
            "process_start_time_seconds": Gauge(
                "process_start_time_seconds",
                "Start of the process, or of its newest worker, since the Unix epoch.",
                multiprocess_mode="livemax",
                registry=registry,
            ),
        }
        self._look = ProcessCollector(registry=None).collect  # sees nothing but on Linux
        self._cpu_s = 0.0

    async def look(self) -> None:
        """Look."""
        lines = lost()
        self._lost.inc(lines - self._lost_before)
        self._lost_before = lines
        for family in self._look():
            value = family.samples[0].value
            if family.name == "process_cpu_seconds":
                self._cpu.inc(value - self._cpu_s)
                self._cpu_s = value
            elif family.name in self._gauges:
                self._gauges[family.name].set(value)


async def nothing() -> Sequence[Metric]:
    """No metrics beside the registry's."""
    return ()


@asynccontextmanager
async def serve(
    host: str,
    port: int,
    registry: CollectorRegistry,
    *,
    more: Collect = nothing,
    is_well: Callable[[], bool] = lambda: True,
) -> AsyncIterator[None]:
    """Serve GET /metrics and GET /healthz meanwhile.

    `more` are metrics that are no one process's, read anew for each scrape: when they cannot be had for now
    (`ConnectionError`) the answer is a 503.

    Raises:
        OSError: the port is taken.
    """
    process = ProcessMetrics(registry)

    async def metrics() -> Page:
        try:
            collected = _Collected(await more())
        except ConnectionError as error:
            return Page(503, f"no metrics for now: {error}\n".encode())
        await process.look()
        return Page(200, generate_latest(registry) + generate_latest(collected), CONTENT_TYPE)

    async def healthz() -> Page:
        return Page(200, b"ok\n") if is_well() else Page(503, b"not well\n")

    async with pages.serve(listen(host, port), {"/metrics": metrics, "/healthz": healthz}):
        yield


class _Collected(CollectorRegistry):
    """Metrics that are collected already."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        super().__init__()
        self._collected = metrics

    def collect(self) -> Sequence[Metric]:
        return self._collected
