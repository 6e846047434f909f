"""What is published, as a stranger with a queue of his own sees it."""

import asyncio
from contextlib import suppress
from typing import Any, Final

import aio_pika
import msgspec
from aio_pika.abc import AbstractIncomingMessage

from app.contexts.catalog.public import EVENTS as OF_THE_MARKET
from app.contexts.payments.public import EVENTS
from app.platform.rabbitmq import topology
from app.platform.rabbitmq.connection import BrokerError

QUEUE: Final = "soak.record"
CONNECT_S: Final = 15.0


class Listener:
    """Keeps the first sight of every event. Its queue is a durable quorum queue: it outlives the broker's deaths."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.sequences: dict[str, list[int]] = {}
        self.ids: set[str] = set()
        self.deliveries = 0
        self.bound = asyncio.Event()

    async def run(self) -> None:
        """Listen, until cancelled."""
        while True:
            with suppress(*BrokerError):
                await self._listen()
            await asyncio.sleep(0.3)

    async def _listen(self) -> None:
        connection = await aio_pika.connect(self._url, timeout=CONNECT_S, heartbeat=10)
        try:
            closed = asyncio.Event()
            connection.close_callbacks.add(lambda *_: closed.set())
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=500)
            for exchange in (EVENTS, OF_THE_MARKET):
                await topology.declare(await channel.get_underlay_channel(), exchange)
            queue = await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
            for exchange in (EVENTS, OF_THE_MARKET):
                await queue.bind(exchange.name, "#")
            await queue.consume(self._take)
            self.bound.set()
            await closed.wait()
        finally:
            with suppress(*BrokerError):
                await asyncio.wait_for(connection.close(), 2)

    async def _take(self, message: AbstractIncomingMessage) -> None:
        event: dict[str, Any] = msgspec.json.decode(message.body)
        self.deliveries += 1
        if event["id"] not in self.ids:
            self.ids.add(event["id"])
            self.sequences.setdefault(event["subject"], []).append(event["sequence"])
        with suppress(*BrokerError):
            await message.ack()


async def waiting(url: str) -> dict[str, int]:
    """How many messages wait in every contract queue and its dead-letter queue."""
    connection = await aio_pika.connect(url, timeout=CONNECT_S)
    async with connection:
        channel = await connection.channel()
        names = [name for queue in EVENTS.queues for name in (queue.name, queue.dead_letters)]
        queues = [await channel.declare_queue(name, passive=True) for name in names]
        return {queue.name: queue.declaration_result.message_count or 0 for queue in queues}
