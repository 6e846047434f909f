"""A consumer's process: its settings, its signals, its end.

Exit codes: 0 stopped as asked; 1 it failed, or `--check` found no sign of life; 2 the command or a setting is wrong.
"""

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click
import structlog
import uvloop
from prometheus_client import CollectorRegistry

from app.contexts.payments.public import EVENTS
from app.kernel.topology import Exchange, Queue
from app.platform.messaging.consumer_metrics import ConsumerMetrics
from app.platform.messaging.handing_over import Handle
from app.platform.messaging.inbox import Effect, Inbox, Once, keep_clean
from app.platform.messaging.inbox_database import Database
from app.platform.messaging.liveness import Liveness
from app.platform.messaging.orders import Orders
from app.platform.messaging.worker import Counts, Delivery, Observe
from app.platform.metrics.exposition import Collect, make_registry, nothing, serve
from app.platform.process import logging
from app.platform.process.loading import load
from app.platform.process.run_state import discovered
from app.platform.process.settings import InvalidSettings, Settings
from app.platform.rabbitmq.connection import split
from app.platform.rabbitmq.consumer import Consumer
from app.platform.tracing.switch import tracing

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_log = structlog.get_logger(__name__)


class _WrongSettings(click.ClickException):
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Process:
    """What a consumer's work has at hand. `counts` tells what it did, `stop` is set when it is told to end."""

    name: str
    settings: Settings
    brokers: tuple[str, ...]
    liveness: Liveness
    tracer: "Tracer | None" = None
    counts: Counts = field(default_factory=Counts)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """A connection to the consumers' database, made when it is first used."""
        database = Database(self.settings.consumers_url, f"strongbox-{self.name}")
        try:
            yield database
        finally:
            await database.close()

    async def feed(
        self,
        exchanges: Sequence[Exchange],
        queue: Queue,
        handle: Handle,
        inbox: tuple[Inbox, Database] | None = None,
        *,
        metrics_port: str = "consumer_metrics_port",
        more_metrics: Collect = nothing,
        registry: CollectorRegistry | None = None,
    ) -> None:
        """Feed the queue's messages to the handler until told to stop. The exchanges are those that feed the queue.

        Its inbox is cleaned up meanwhile, over a connection of its own: that must not hold up what is consumed. Its
        metrics are served on the port of the named setting, with those of `more_metrics` and of the `registry`; 0 is no
        port.
        """
        observe = _traced(self.tracer, exchanges, queue) if self.tracer else None
        async with (
            self.database() as asking,
            self._metrics(queue, metrics_port, more_metrics, registry or make_registry()),
            asyncio.TaskGroup() as tasks,
        ):
            if inbox is not None:
                tasks.create_task(keep_clean(*inbox, self.settings.outbox_retention_h, self.stop))
            orders = Orders(asking, queue.name, f"strongbox-{self.name}")
            consumer = Consumer(
                self.brokers, exchanges, queue, handle, self.counts, self.liveness.sign, observe, orders
            )
            await consumer.run(self.stop)

    @asynccontextmanager
    async def _metrics(
        self, queue: Queue, setting: str, more: Collect, registry: CollectorRegistry
    ) -> AsyncIterator[None]:
        host, port = self.settings.http_host, self.settings.port(setting)
        async with AsyncExitStack() as stack:
            if port:
                registry.register(ConsumerMetrics(queue, self.counts))
                serving = serve(host, port, registry, more=more, is_well=self.liveness.is_fresh)
                try:
                    await stack.enter_async_context(serving)
                except OSError as error:
                    raise click.ClickException(f"{setting.upper()}: cannot serve on {port}: {error}") from None
            yield


Work = Callable[[Process], Coroutine[None, None, None]]


def alone(found: Mapping[str, str]) -> Settings:
    """The settings of a consumer that knows no contexts, over those of the run in this folder."""
    return load(None, found=found)


def command(
    name: str, work: Work, help: str | None = None, read: Callable[[Mapping[str, str]], Settings] = alone
) -> click.Command:
    """The command that runs a consumer's work until it is told to stop, or with `--check` asks whether it lives."""

    @click.command(name, help=help, context_settings={"help_option_names": ["-h", "--help"]})
    @click.option(
        "--check",
        is_flag=True,
        help="Exit 0 if this consumer, running on this machine with HEARTBEAT_DIR set, was well within the last 15 s.",
    )
    def run(check: bool) -> None:
        liveness = Liveness(name)
        if check:
            raise SystemExit(0 if liveness.is_fresh_outside() else 1)
        settings, brokers = _settings(read)
        logging.configure(settings.log_level, settings.log_format, name)
        try:
            with tracing(name, settings.shutdown_grace_s) as tracer:
                uvloop.run(_until_stopped(Process(name, settings, brokers, liveness, tracer), work))
        except InvalidSettings as error:
            raise _WrongSettings(str(error)) from None
        finally:
            liveness.end()

    return run


def consume(name: str, bindings: Sequence[str], effect: Effect, *, inbox: str) -> None:
    """Be a consumer, as the whole of a program: have the effect of each event once, until told to stop.

    It declares the queue `NAME.queue`, bound to the events' exchange with the bindings (words and `*`, as
    `payment.*`), and `NAME.dlq` for what it gives up. Of several processes with one name one works and the others stand
    by, so that a payment's events have their effects in the order in which they came.

    `inbox` is the table of the events' ids (see `Inbox`), in the database in which the effect is.

    Raises:
        ValueError: the name or a binding is not of that form.
    """
    queue, ids = _own_queue(name, bindings), Inbox(inbox)

    async def work(process: Process) -> None:
        async with process.database() as writing, process.database() as cleaning:
            await process.feed(
                [Exchange(EVENTS.name, (queue,))], queue, Once(writing, queue, ids, effect), (ids, cleaning)
            )

    command(name, work, f"Consume {queue.name} until told to stop. Settings come from the environment.")()


def _own_queue(name: str, bindings: Sequence[str]) -> Queue:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,99}", name):
        raise ValueError(f"{name!r} is not a consumer's name: lower-case letters, digits and hyphens")
    queue = Queue(f"{name}.queue", f"{name}.dlq", tuple(bindings), ordered=True)
    if not bindings or isinstance(bindings, str):
        raise ValueError(f"{queue.name} needs the bindings of its events, as ['payment.*']")
    for binding in bindings:
        if not re.fullmatch(r"(\w+|\*)(\.(\w+|\*))*", binding, re.ASCII):
            raise ValueError(f"{binding!r} is not a binding: words and * with dots between them, as payment.*")
    if queue.name in {contract.name for contract in EVENTS.queues}:
        raise ValueError(f"{queue.name} has its consumer: another one needs a queue of its own")
    return queue


def _settings(read: Callable[[Mapping[str, str]], Settings]) -> tuple[Settings, tuple[str, ...]]:
    found = discovered(Path(".strongbox"))
    if found.pop("BROKER", None) == "in-process":
        raise click.ClickException("the run in this folder has its consumers inside (it found no RabbitMQ)")
    try:
        settings = read(found).require("consumers_url", "rabbitmq_url")
        return settings, split(settings.rabbitmq_url)
    except (InvalidSettings, ValueError) as error:
        message = str(error).replace("CONSUMERS_URL", "DATABASE_URL (or AUDIT_DATABASE_URL)")
        raise _WrongSettings(message) from None


def _traced(tracer: "Tracer", exchanges: Sequence[Exchange], queue: Queue) -> Observe:
    from app.platform.tracing.consumer import TracedQueue  # noqa: PLC0415 -- only when it is wanted

    traced = TracedQueue(tracer, "rabbitmq", exchanges, queue.name)

    def observe(deliveries: Sequence[Delivery], began_ns: int, error: str | None) -> None:
        traced(((delivery.message.traceparent, delivery.body) for delivery in deliveries), began_ns, error)

    return observe


async def _until_stopped(process: Process, work: Work) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, process.stop.set)
    working = asyncio.create_task(work(process))
    stopping = asyncio.create_task(process.stop.wait())
    _log.info("started")
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not working.done():
        await asyncio.wait({working}, timeout=process.settings.shutdown_grace_s)
    stopping.cancel()
    if not working.done():
        # What is not finished by now is not acknowledged: it will be delivered again.
        _log.warning("grace_over", grace_s=process.settings.shutdown_grace_s)
        working.cancel()
    with suppress(asyncio.CancelledError):
        await working
    _log.info("stopped")
