"""Serve a consumer's metrics in Prometheus' text form, and whether it is well."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.http import HttpProcessingError
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest


class _Collected(CollectorRegistry):
    """Metrics that are collected already."""

    def __init__(self, metrics: list[Metric]) -> None:
        super().__init__()
        self._collected = metrics

    def collect(self) -> list[Metric]:
        return self._collected


@asynccontextmanager
async def serve(
    host: str, port: int, collect: Callable[[], Awaitable[list[Metric]]], is_well: Callable[[], bool]
) -> AsyncIterator[None]:
    """Serve GET /metrics and GET /healthz meanwhile. Metrics that cannot be had for now (`ConnectionError`) are a 503.

    Raises:
        OSError: the port is taken.
    """

    async def metrics(_: web.Request) -> web.Response:
        try:
            text = generate_latest(_Collected(await collect()))
        except ConnectionError as error:
            return web.Response(status=503, text=f"no metrics for now: {error}\n")
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n") if is_well() else web.Response(status=503, text="not consuming\n")

    application = web.Application()
    application.add_routes([web.get("/metrics", metrics), web.get("/healthz", healthz)])
    quiet = logging.getLogger(f"{__name__}.server")
    quiet.addFilter(_is_ours)
    runner = web.AppRunner(application, access_log=None, logger=quiet)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether it tells of a fault here: of a request that is not HTTP aiohttp would log the very bytes."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))
