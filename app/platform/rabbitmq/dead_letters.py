"""The dead-letter queues: looked at without a change, put back, dropped.

AMQP has no way to look without taking. What is taken and given back keeps its place only like this: one consumer takes
it, and the channel is closed, or breaks. Then all of it comes back in its order, before what nobody took yet and behind
what others gave back: so every look takes as much as any look before, which is `WINDOW`, or all there is. Giving back
by `basic.nack`, or what several `basic.get` took, changes the order.

Each look counts as a delivery, and from RabbitMQ 4 on a queue without a delivery limit has one of 20, behind which
messages are dropped. So in time the whole queue is published anew, into itself. What RabbitMQ 4.3 itself has put there
brings its count of 51 along: given back, in whatever way, it is gone. So what has been taken that often is never given
back, but published anew, confirmed, and acknowledged.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from aiormq.abc import DeliveredMessage

from app.kernel.errors import Unavailable
from app.kernel.topology import Exchange, dead_letters_of, queues_of
from app.platform.messaging.dead_letter_ports import DeadLetter
from app.platform.process.progress import HowFar
from app.platform.rabbitmq import topology
from app.platform.rabbitmq.connection import BrokerConnection
from app.platform.rabbitmq.death_headers import COUNTED, DEATH, letter_of
from app.platform.rabbitmq.queues import STEP_S, broker, depth
from app.platform.rabbitmq.taking import BATCH, Taken, pass_on, taking

WINDOW: Final = 10_000
FEW: Final = 16
"""Acknowledged one by one. RabbitMQ holds back those beyond 32 under way, and forgets them when the channel closes: the
messages would be there twice."""
NAME: Final = "strongbox-dlq"
BACK_WITHIN_S: Final = 2.0


class RabbitDeadLetters:
    """The dead-letter queues of the exchanges' queues, and of those of other consumers. It implements `DeadLetters`."""

    def __init__(self, brokers: Sequence[str], exchanges: Sequence[Exchange], window: int = WINDOW) -> None:
        self._brokers = tuple(brokers)
        self._exchanges = tuple(exchanges)
        self._contract = frozenset(queue.name for queue in queues_of(exchanges))
        self.window = window
        # What one look holds another neither sees nor counts.
        self._looking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def counts(self, queues: Sequence[str]) -> Mapping[str, int]:
        """See `DeadLetters.counts`."""
        counts = {}
        async with broker(self._brokers, NAME) as connection:
            for queue in queues:
                async with self._looking[queue]:
                    counts[queue] = await self._count(connection, queue)
        return counts

    async def look(self, queue: str) -> Sequence[DeadLetter]:
        """See `DeadLetters.look`."""
        async with broker(self._brokers, NAME) as connection:
            async with self._looking[queue]:
                if not await self._count(connection, queue):
                    return []  # one of the house's that nothing was sent to yet is not there either
            async with self._window(connection, queue) as (_, messages):
                return [letter_of(message, queue) for message in messages]

    async def redrive(self, queue: str, ids: Collection[str]) -> Sequence[str]:
        """See `DeadLetters.redrive`."""
        async with broker(self._brokers, NAME) as connection:
            await self._see_to(connection, queue)
            async with self._window(connection, queue) as (taken, messages):
                chosen = [message for message in messages if letter_of(message, queue).id in ids]
                for start in range(0, len(chosen), FEW):
                    few = chosen[start : start + FEW]
                    await pass_on(taken.channel, queue, few, DEATH + COUNTED)
                    await taken.acknowledge(few)
                return [letter_of(message, queue).id for message in chosen]

    async def redrive_all(self, queue: str, progress: HowFar, stop: asyncio.Event) -> int:
        """See `DeadLetters.redrive_all`."""
        async with broker(self._brokers, NAME) as connection:
            await self._see_to(connection, queue)
            async with self._looking[queue]:
                count = await _messages(connection, dead_letters_of(queue))
            return await _move(connection, dead_letters_of(queue), queue, count, DEATH + COUNTED, progress, stop)

    async def drop(self, queue: str, ids: Collection[str]) -> Sequence[str]:
        """See `DeadLetters.drop`."""
        async with (
            broker(self._brokers, NAME) as connection,
            self._window(connection, queue) as (taken, messages),
        ):
            chosen = [message for message in messages if letter_of(message, queue).id in ids]
            await taken.acknowledge(chosen)
            return [letter_of(message, queue).id for message in chosen]

    async def _count(self, connection: BrokerConnection, queue: str) -> int:
        deep = await depth(connection, dead_letters_of(queue))
        if deep is None and queue not in self._contract:
            raise _missing(dead_letters_of(queue))  # a slip of the pen, more likely than not
        return deep.messages if deep else 0

    async def _see_to(self, connection: BrokerConnection, queue: str) -> None:
        """See that there is the queue: those of the exchanges are declared."""
        if queue not in self._contract:
            if await depth(connection, queue) is None:
                raise _missing(queue)
            return
        async with asyncio.timeout(STEP_S):
            channel = await connection.open_channel()
            for exchange in self._exchanges:
                if any(fed.name == queue for fed in exchange.queues):
                    await topology.declare(channel, exchange)
            await channel.close()

    @asynccontextmanager
    async def _window(
        self, connection: BrokerConnection, queue: str
    ) -> AsyncIterator[tuple[Taken, Sequence[DeliveredMessage]]]:
        """What can be seen of the queue's dead letters, taken for as long as the block runs."""
        name = dead_letters_of(queue)
        async with self._looking[queue]:
            deep = await depth(connection, name)
            if deep is None:
                raise _missing(name)
            messages: list[DeliveredMessage] = []
            async with taking(connection, name, self.window) as taken:
                for _ in range(min(self.window, deep.messages)):
                    if (message := await taken.next()) is None:
                        break
                    messages.append(message)
                yield taken, messages
            left = deep.messages - taken.acknowledged
            await _given_back(connection, name, left)
            if taken.renewed:  # they are behind those that could not be seen
                await _move(connection, name, name, left - taken.renewed, COUNTED, lambda _, __: None, asyncio.Event())


async def _given_back(connection: BrokerConnection, queue: str, messages: int) -> None:
    """Wait until the queue has so many messages again: what a closed channel held comes back some moments later.

    Not for long: another process may have taken some.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(BACK_WITHIN_S):
            while await _messages(connection, queue) < messages:  # noqa: ASYNC110 -- no event tells
                await asyncio.sleep(0.02)


async def _messages(connection: BrokerConnection, queue: str) -> int:
    deep = await depth(connection, queue)
    return deep.messages if deep else 0


async def _move(
    connection: BrokerConnection, source: str, target: str, count: int, without: tuple[str, ...], progress: HowFar,
    stop: asyncio.Event,
) -> int:  # fmt: skip
    """Pass so many messages on from the source, until told to stop; how many that were. No other is even taken."""
    moved = 0
    while moved < count and not stop.is_set():
        most = min(BATCH, count - moved)
        async with taking(connection, source, most) as taken:
            batch: list[DeliveredMessage] = []
            while len(batch) < most and (message := await taken.next()) is not None:
                batch.append(message)
            await taken.enough()
            if batch:
                await pass_on(taken.channel, target, batch, without)
                await taken.acknowledge_up_to(batch[-1])
        moved += len(batch)
        progress(moved, count)
        if len(batch) < most:
            break
    return moved


def _missing(queue: str) -> Unavailable:
    return Unavailable(f"RabbitMQ: there is no queue {queue}: `strongbox relay` and the consumers declare theirs")
