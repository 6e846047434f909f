"""Take messages out of a queue for a while: what is not settled by the end is given back."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import structlog
from aiormq.abc import AbstractChannel, DeliveredMessage

from app.platform.rabbitmq.connection import BrokerAway, BrokerConnection, BrokerError
from app.platform.rabbitmq.death_headers import COUNTED, looks_at
from app.platform.rabbitmq.queues import STEP_S, copied, put

BATCH: Final = 200
WORN: Final = 10
"""So often taken and given back, a message is published anew."""

_log = structlog.get_logger(__name__)


class Taken:
    """A consumer of a queue, and what it has in hand.

    So many messages were acknowledged one by one, and so many published anew at the end.
    """

    def __init__(self, channel: AbstractChannel, queue: str) -> None:
        self.channel = channel
        self.acknowledged = 0
        self.renewed = 0
        self._queue = queue
        self._consumer: str | None = None
        self._arrived: asyncio.Queue[DeliveredMessage] = asyncio.Queue()
        # Not acknowledged, by tag: in the order of their tags.
        self._held: dict[int, DeliveredMessage] = {}

    async def begin(self, prefetch: int) -> None:
        """Take so many messages at most, as long as none is acknowledged."""
        await self.channel.basic_qos(prefetch_count=prefetch)
        self._consumer = (await self.channel.basic_consume(self._queue, self._arrive)).consumer_tag

    async def next(self) -> DeliveredMessage | None:
        """The next message; None when none comes, as somebody else has taken the rest."""
        try:
            async with asyncio.timeout(STEP_S):
                return await self._arrived.get()
        except TimeoutError:
            if self.channel.is_closed:
                raise BrokerAway("the connection broke") from None
            return None

    async def acknowledge(self, messages: Sequence[DeliveredMessage]) -> None:
        """Acknowledge the messages, one by one."""
        for tag in map(_tag, messages):
            await self.channel.basic_ack(tag)
            del self._held[tag]
            self.acknowledged += 1

    async def acknowledge_up_to(self, last: DeliveredMessage) -> None:
        """Acknowledge everything up to that message."""
        await self.channel.basic_ack(_tag(last), multiple=True)
        self._held = {tag: message for tag, message in self._held.items() if tag > _tag(last)}

    async def enough(self) -> None:
        """Take no more."""
        if self._consumer is not None:
            async with asyncio.timeout(STEP_S):
                await self.channel.basic_cancel(self._consumer)
            self._consumer = None
            await asyncio.sleep(0)  # what came before is handed over

    async def end(self) -> None:
        """Give back what is in hand: with one of it worn, by publishing it all anew."""
        await self.enough()
        held = list(self._held.values())
        if any(looks_at(message) >= WORN for message in held):
            _log.info("dead_letters_published_anew", queue=self._queue, messages=len(held))
            for start in range(0, len(held), BATCH):
                batch = held[start : start + BATCH]
                await pass_on(self.channel, self._queue, batch, COUNTED)
                await self.acknowledge_up_to(batch[-1])
                self.renewed += len(batch)
        async with asyncio.timeout(STEP_S):
            await self.channel.close()

    async def _arrive(self, message: DeliveredMessage) -> None:
        self._held[_tag(message)] = message
        self._arrived.put_nowait(message)


@asynccontextmanager
async def taking(connection: BrokerConnection, queue: str, prefetch: int) -> AsyncIterator[Taken]:
    """A consumer of the queue; what it has in hand at the end is given back."""
    async with asyncio.timeout(STEP_S):
        taken = Taken(await connection.open_channel(), queue)
        await taken.begin(prefetch)
    try:
        yield taken
    except BrokerError:
        raise  # there is nobody to give it back to: the broker does so by itself
    except BaseException:
        await taken.end()
        raise
    await taken.end()


async def pass_on(
    channel: AbstractChannel, target: str, messages: Sequence[DeliveredMessage], without: tuple[str, ...]
) -> None:
    """Publish the messages into the target, without the headers that begin so. They are confirmed there afterwards."""
    await put(channel, target, [(message.body, copied(message.header.properties, without)) for message in messages])


def _tag(message: DeliveredMessage) -> int:
    assert message.delivery_tag is not None
    return message.delivery_tag
