"""How a process runs: until it is told to stop, with its metrics on a port of their own; or why it does not."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
import uvloop
from prometheus_client import CollectorRegistry

from app.platform.metrics.exposition import Collect, nothing
from app.platform.metrics.exposition import serve as serve_metrics
from app.platform.metrics.gauges import Watcher, watching
from app.platform.process.settings import Settings

_log = structlog.get_logger(__name__)


class CannotServe(Exception):  # noqa: N818 -- the message is what counts
    """A process refuses to start; the message says why, and what to do."""


def run_until_stopped(process: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run the process; SIGTERM and SIGINT ask it to stop."""

    async def guarded() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        _log.info("started")
        await process(stop)
        _log.info("stopped")

    uvloop.run(guarded())


@asynccontextmanager
async def metrics_port(
    name: str, settings: Settings, registry: CollectorRegistry, *watchers: Watcher, more: Collect = nothing
) -> AsyncIterator[None]:
    """Serve a process's metrics meanwhile on the port of the named setting, with the watchers at work; 0 is no port.

    Raises:
        CannotServe: the port cannot be had.
    """
    port = settings.port(name)
    async with AsyncExitStack() as stack:
        if port:
            try:
                await stack.enter_async_context(serve_metrics(settings.http_host, port, registry, more=more))
            except OSError as error:
                where = f"{settings.http_host}:{port}"
                raise CannotServe(f"{name.upper()}: cannot serve on {where}: {error.strerror}") from None
            await stack.enter_async_context(watching(*watchers))
        yield
