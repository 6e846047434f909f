"""`python -m consumers metrics` and `python -m consumers audit`.

Exit codes: 0 stopped as asked; 1 it failed, or `--check` found no sign of life; 2 the command or a setting is wrong.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path

import click
import structlog
import uvloop

from app.adapters.rabbitmq import topology
from app.adapters.rabbitmq.connection import split
from app.main import logging
from app.main.local.state import discovered
from app.main.settings import InvalidSettings, Settings, load
from consumers import metrics
from consumers.audit import Audit
from consumers.consumer import Consumer
from consumers.database import Database, DatabaseAway
from consumers.exposition import serve
from consumers.liveness import Liveness
from consumers.worker import Counts, pause

CLEAN_UP_EVERY_S = 600.0

_Process = Callable[[Settings, tuple[str, ...], Liveness, asyncio.Event], Coroutine[None, None, None]]

_log = structlog.get_logger(__name__)


class _WrongSettings(click.ClickException):
    exit_code = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """The consumers of payment events. Settings come from the environment, over the YAML file of STRONGBOX_CONFIG."""


_check = click.option(
    "--check",
    is_flag=True,
    help="Exit 0 if this consumer, running on this machine with HEARTBEAT_DIR set, was well within the last 15 s.",
)


@main.command(name="metrics")
@_check
def metrics_command(check: bool) -> None:
    """Count payments, and serve the counts on METRICS_PORT: /metrics and /healthz."""
    _run("metrics", check)


@main.command(name="audit")
@_check
def audit_command(check: bool) -> None:
    """Keep every event, once, in the hash chain of the audit log."""
    _run("audit", check)


@main.command(name="redrive")
@click.argument("name", type=click.Choice(["metrics", "audit"]))
def redrive_command(name: str) -> None:
    """Put the dead letters of a consumer back into its queue: `strongbox dlq redrive --all --queue NAME.queue`."""
    command = [sys.executable, "-m", "app", "dlq", "redrive", "--all", "--queue", f"{name}.queue"]
    os.execv(sys.executable, command)  # noqa: S606 -- our own command


def _run(name: str, check: bool) -> None:
    liveness = Liveness(name)
    if check:
        raise SystemExit(0 if liveness.is_fresh_outside() else 1)
    settings, brokers = _settings()
    logging.configure(settings.log_level, settings.log_format, name)
    try:
        uvloop.run(_until_stopped(_metrics if name == "metrics" else _audit, settings, brokers, liveness))
    except OSError as error:
        raise click.ClickException(f"METRICS_PORT: cannot serve on {settings.metrics_port}: {error}") from None
    finally:
        liveness.end()


def _settings() -> tuple[Settings, tuple[str, ...]]:
    found = discovered(Path(".strongbox"))
    if found.pop("BROKER", None) == "in-process":
        raise click.ClickException("the run in this folder has its consumers inside (it found no RabbitMQ)")
    try:
        settings = load(found=found).require("consumers_url", "rabbitmq_url")
        return settings, split(settings.rabbitmq_url)
    except (InvalidSettings, ValueError) as error:
        message = str(error).replace("CONSUMERS_URL", "DATABASE_URL (or AUDIT_DATABASE_URL)")
        raise _WrongSettings(message) from None


async def _until_stopped(process: _Process, settings: Settings, brokers: tuple[str, ...], liveness: Liveness) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    consuming = asyncio.create_task(process(settings, brokers, liveness, stop))
    stopping = asyncio.create_task(stop.wait())
    _log.info("started")
    await asyncio.wait({consuming, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not consuming.done():
        await asyncio.wait({consuming}, timeout=settings.shutdown_grace_s)
    stopping.cancel()
    if not consuming.done():
        # What is not finished by now is not acknowledged: it will be delivered again.
        _log.warning("grace_over", grace_s=settings.shutdown_grace_s)
        consuming.cancel()
    with suppress(asyncio.CancelledError):
        await consuming
    _log.info("stopped")


async def _audit(settings: Settings, brokers: tuple[str, ...], liveness: Liveness, stop: asyncio.Event) -> None:
    database = Database(settings.consumers_url, "strongbox-audit")
    try:
        await Consumer(brokers, topology.AUDIT, Audit(database), Counts(), liveness.sign).run(stop)
    finally:
        await database.close()


async def _metrics(settings: Settings, brokers: tuple[str, ...], liveness: Liveness, stop: asyncio.Event) -> None:
    counts = Counts()
    async with AsyncExitStack() as stack:
        # Scrapes and the clean-up have a connection of their own: they must not hold up what is consumed.
        writing, reading = (Database(settings.consumers_url, "strongbox-metrics") for _ in range(2))
        stack.push_async_callback(writing.close)
        stack.push_async_callback(reading.close)
        collect = partial(metrics.collect, reading, counts)
        await stack.enter_async_context(serve(settings.http_host, settings.metrics_port, collect, liveness.is_fresh))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_clean_up(reading, settings.outbox_retention_h, stop))
            consumer = Consumer(brokers, topology.METRICS, metrics.Metrics(writing), counts, liveness.sign)
            await consumer.run(stop)


async def _clean_up(database: Database, outbox_retention_h: float, stop: asyncio.Event) -> None:
    keep_h = metrics.remembered_h(outbox_retention_h)
    while not stop.is_set():
        with suppress(DatabaseAway):
            await metrics.clean_up(database, keep_h)
        await pause(CLEAN_UP_EVERY_S, stop)


if __name__ == "__main__":
    main(prog_name="python -m consumers")
