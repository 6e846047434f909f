"""Consume a RabbitMQ queue: at least once from the broker, in batches, acknowledged only after the commit."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog
from aiormq.abc import AbstractChannel

from app.kernel.topology import Exchange, Queue
from app.platform.messaging.backoff import pause
from app.platform.messaging.burial import bury
from app.platform.messaging.handing_over import Handle
from app.platform.messaging.orders import Order, Orders
from app.platform.messaging.worker import Counts, Delivery, Finished, Observe, Worker
from app.platform.rabbitmq import topology
from app.platform.rabbitmq.connection import BrokerConnection, BrokerError, connected
from app.platform.rabbitmq.deliveries import MAX_MESSAGE_BYTES, Delivered, Deliveries, Sink, consume_at_once

# Two batches' worth: one under way, one arriving. As large as they may be they are 100 MiB.
PREFETCH: Final = 800
BATCH: Final = 400
# Under load a batch begins this often, not with each message: its statements and its commit cost the same for many. A
# message that comes alone does not wait.
BATCH_EVERY_S: Final = 0.05
RECONNECT_S: Final = 0.5
BROKER_TIMEOUT_S: Final = 5.0
# How often an idle consumer says that it is alive.
ALIVE_EVERY_S: Final = 2.0

Consume = Callable[[Deliveries, AbstractChannel, str, Sink], Awaitable[str]]
"""Has a sink get a queue's messages; the consumer's tag."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Consumer:
    """Feeds a queue's messages to a handler, from whichever broker answers.

    The exchanges are those that feed it: they are declared first, with their queues, as the relay does, whichever comes
    first. `alive` is called while there is a session with a broker, and the handler works, or waits for a neighbour.
    """

    brokers: Sequence[str]
    exchanges: Sequence[Exchange]
    queue: Queue
    handle: Handle
    counts: Counts
    alive: Callable[[], None]
    observe: Observe | None = None
    orders: Orders | None = None
    consume: Consume = consume_at_once

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until told to stop; then finish what has arrived and acknowledge it."""
        failures = 0
        while not stop.is_set():
            try:
                async with connected(self.brokers, f"strongbox-{self.queue.name}") as connection:
                    session = _Session(connection, self)
                    await session.open()
                    _log.info("consuming", queue=self.queue.name)
                    failures = 0
                    await session.run(stop)
            except BrokerError as error:
                self._failed(failures, error)
            except asyncio.CancelledError as error:
                # aiormq ends the calls of a breaking connection by cancelling them; nobody cancelled *us*.
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                self._failed(failures, error)
            failures += 1
            await pause(RECONNECT_S, stop)

    def _failed(self, failures: int, error: BaseException) -> None:
        if failures < 2:
            _log.warning("broker_away", queue=self.queue.name, error=type(error).__name__, reason=str(error))


class _Session:
    """One channel's life: what it delivered lives and dies with it."""

    def __init__(self, connection: BrokerConnection, consumer: Consumer) -> None:
        self._connection = connection
        self._consumer = consumer
        self._queue = consumer.queue
        self._counts = consumer.counts
        self._orders = consumer.orders
        self._abandon = asyncio.Event()
        self._worker = Worker(consumer.handle, consumer.counts, self._abandon, consumer.observe, consumer.alive)
        self._wake = asyncio.Event()
        self._over = False
        self._next_at = 0.0
        self._enough = 1
        self._arrived: list[Delivery] = []
        self._too_large: list[int] = []
        # Unacknowledged, by tag: in the order of their tags, as the broker counts them up.
        self._held: dict[int, Delivery] = {}
        self._counts.held = self._held

    async def open(self) -> None:
        async with asyncio.timeout(BROKER_TIMEOUT_S):
            self._channel = channel = await self._connection.open_channel()
            channel.closing.add_done_callback(self._end)
            channel.on_consumer_cancel_callbacks.add(self._end)  # the queue was deleted
            for exchange in self._consumer.exchanges:
                await topology.declare(channel, exchange)
            await channel.basic_qos(prefetch_count=PREFETCH)
            deliveries, name = self._connection.deliveries, self._queue.name
            self._tag = await self._consumer.consume(deliveries, channel, name, self._arrive)

    async def run(self, stop: asyncio.Event) -> None:
        stopping = asyncio.create_task(self._stop(stop))
        try:
            while not (self._over or stop.is_set()):
                await self._wait()
                await self._work()
                if not self._over:
                    self._consumer.alive()  # stuck or not: a restart mends nothing, and counts as a delivery
            if not self._over:
                await self._finish()
        except ConnectionError:
            if not self._abandon.is_set():
                raise
        finally:
            stopping.cancel()

    async def _finish(self) -> None:
        async with asyncio.timeout(BROKER_TIMEOUT_S):
            await self._channel.basic_cancel(self._tag)
        while self._arrived or self._too_large:
            await self._work()

    async def _stop(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._abandon.set()
        self._wake.set()

    def _end(self, *_: object) -> None:
        self._over = True
        self._abandon.set()
        self._wake.set()

    def _arrive(self, delivered: Sequence[Delivered]) -> None:
        for message in delivered:
            delivery = Delivery(message.tag, message.body, message)
            self._held[message.tag] = delivery
            if message.is_too_large:
                self._too_large.append(message.tag)
            else:
                self._arrived.append(delivery)
        if self._too_large or len(self._arrived) >= self._enough:
            self._wake.set()

    async def _wait(self) -> None:
        """Wait for a message; and for more of them, if the batch before began only just now."""
        loop = asyncio.get_running_loop()
        if not self._arrived:
            retry_at = self._worker.next_retry_at()
            await self._woken(1, ALIVE_EVERY_S if retry_at is None else min(ALIVE_EVERY_S, retry_at - loop.time()))
        if self._arrived:
            await self._woken(BATCH, self._next_at - loop.time())
        self._next_at = loop.time() + BATCH_EVERY_S

    async def _woken(self, enough: int, timeout_s: float) -> None:
        """Wait until so many messages are there, or the session ends, or time is up."""
        if len(self._arrived) >= enough or self._too_large or timeout_s <= 0 or self._abandon.is_set():
            return
        self._enough = enough
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()

    async def _reject(self) -> None:
        """Give the broker back what is too large to be an event. It has it whole, and puts it into the dead letters."""
        rejected, self._too_large = self._too_large, []
        async with asyncio.timeout(BROKER_TIMEOUT_S):
            for tag in rejected:
                await self._channel.basic_reject(tag, requeue=False)
                del self._held[tag]
                self._counts.dead_letters += 1
                _log.error("message_rejected", queue=self._queue.name, reason=f"more than {MAX_MESSAGE_BYTES} bytes")

    async def _work(self) -> None:
        await self._reject()
        batch, self._arrived = self._arrived[:BATCH], self._arrived[BATCH:]
        outcome = Finished()
        try:
            await self._worker.work(batch, outcome)
            await self._worker.retry(asyncio.get_running_loop().time(), outcome)
            buried = await self._bury_as_ordered(outcome)
        finally:
            if not self._over:
                await self._settle(outcome)
        if self._orders is not None and not self._over:
            for order, reason in buried:
                await self._orders.carried_out(order, reason)

    async def _bury_as_ordered(self, outcome: Finished) -> list[tuple[Order, str]]:
        """Give up the stuck messages that an operator has ordered to; the orders, with the reasons."""
        stuck = {delivery.id: delivery for delivery in self._worker.stuck}
        if self._orders is None or not stuck:
            return []
        buried = []
        for order in await self._orders.standing(list(stuck)):
            delivery = stuck[order.message_id]
            reason = f"{delivery.reason}; buried by {order.operator}, action {order.number}"
            if delivery in self._worker.stuck:  # not yet by an order before
                await self._worker.give_up(delivery, reason, outcome)
            buried.append((order, reason))
        return buried

    async def _settle(self, outcome: Finished) -> None:
        async with asyncio.timeout(BROKER_TIMEOUT_S):
            # Together: when all that is in hand dies at once, one confirm after the other takes longer than there is.
            burials = (bury(self._channel, self._queue, delivery, reason) for delivery, reason in outcome.dead)
            await asyncio.gather(*burials)
            tags = [delivery.tag for delivery in outcome.done] + [delivery.tag for delivery, _ in outcome.dead]
            for tag in tags:
                del self._held[tag]
            # Everything older than the oldest that is still held goes with one acknowledgement.
            oldest = next(iter(self._held), None)
            together = [tag for tag in tags if oldest is None or tag < oldest]
            if together:
                await self._channel.basic_ack(max(together), multiple=True)
            for tag in tags:
                if oldest is not None and tag > oldest:
                    await self._channel.basic_ack(tag)
