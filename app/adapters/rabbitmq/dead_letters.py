"""The dead-letter queues: looked at without a change, put back, dropped.

AMQP has no way to look without taking. What is taken and given back keeps its place only like this: one consumer takes
it, and the channel is closed, or breaks. Then all of it comes back in its order, before what nobody took yet and behind
what others gave back: so every look takes as much as any look before, which is `WINDOW`, or all there is. Giving back
by `basic.nack`, or what several `basic.get` took, changes the order.

Each look counts as a delivery, and from RabbitMQ 4 on a queue without a delivery limit has one of 20, behind which
messages are dropped. So before that the whole queue is published anew, into itself.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import structlog
from aiormq.abc import AbstractChannel, DeliveredMessage

from app.adapters.rabbitmq import topology
from app.adapters.rabbitmq.connection import BrokerAway, Connection
from app.adapters.rabbitmq.letters import COUNTED, DEATH, letter_of, looks_at
from app.adapters.rabbitmq.queues import STEP_S, broker, copied, depth, put
from app.adapters.rabbitmq.topology import dead_letters_of
from app.application.dead_letters.ports import DeadLetter, Progress
from app.application.ports import Unavailable

WINDOW: Final = 10_000
BATCH: Final = 200
FEW: Final = 16
"""Acknowledged one by one. RabbitMQ holds back those beyond 32 under way, and forgets them when the channel closes: the
messages would be there twice."""
NAME: Final = "strongbox-dlq"
BACK_WITHIN_S: Final = 2.0
WORN: Final = 10
"""So many looks at a message, and it is published anew."""

_Take = Callable[[], Awaitable[DeliveredMessage | None]]
"""The next message of a queue; None when none comes."""
_log = structlog.get_logger(__name__)

_CONTRACT: Final = {queue.name for queue in topology.QUEUES}


@dataclass(slots=True)
class _Window:
    """What can be seen of a queue, in hand; `settled` of the messages are not given back."""

    channel: AbstractChannel
    messages: Sequence[DeliveredMessage]
    settled: int = 0


class RabbitDeadLetters:
    """The dead-letter queues of the contract's queues, and of those of other consumers. It implements `DeadLetters`."""

    def __init__(self, brokers: Sequence[str], window: int = WINDOW) -> None:
        self._brokers = tuple(brokers)
        self.window = window
        # What one look holds another neither sees nor counts.
        self._looking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def counts(self, queues: Sequence[str]) -> Mapping[str, int]:
        """See `DeadLetters.counts`."""
        counts = {}
        async with broker(self._brokers, NAME) as connection:
            for queue in queues:
                async with self._looking[queue]:
                    counts[queue] = await _count(connection, queue)
        return counts

    async def look(self, queue: str) -> Sequence[DeadLetter]:
        """See `DeadLetters.look`."""
        async with broker(self._brokers, NAME) as connection, self._window(connection, queue) as window:
            return [letter_of(message, queue) for message in window.messages]

    async def redrive(self, queue: str, ids: Collection[str]) -> Sequence[str]:
        """See `DeadLetters.redrive`."""
        async with broker(self._brokers, NAME) as connection:
            await _see_to(connection, queue)
            async with self._window(connection, queue) as window:
                chosen = [message for message in window.messages if letter_of(message, queue).id in ids]
                for start in range(0, len(chosen), FEW):
                    few = chosen[start : start + FEW]
                    await _pass_on(window.channel, queue, few, DEATH + COUNTED)
                    await _acknowledge(window.channel, few)
                window.settled = len(chosen)
                return [letter_of(message, queue).id for message in chosen]

    async def redrive_all(self, queue: str, progress: Progress, stop: asyncio.Event) -> int:
        """See `DeadLetters.redrive_all`."""
        async with broker(self._brokers, NAME) as connection:
            await _see_to(connection, queue)
            async with self._looking[queue]:
                count = await _messages(connection, dead_letters_of(queue))
            return await _move(connection, dead_letters_of(queue), queue, count, DEATH + COUNTED, progress, stop)

    async def drop(self, queue: str, ids: Collection[str]) -> Sequence[str]:
        """See `DeadLetters.drop`."""
        async with broker(self._brokers, NAME) as connection, self._window(connection, queue) as window:
            chosen = [message for message in window.messages if letter_of(message, queue).id in ids]
            await _acknowledge(window.channel, chosen)
            window.settled = len(chosen)
            return [letter_of(message, queue).id for message in chosen]

    @asynccontextmanager
    async def _window(self, connection: Connection, queue: str) -> AsyncIterator[_Window]:
        """What can be seen of the queue's dead letters, taken for as long as the block runs."""
        name = dead_letters_of(queue)
        async with self._looking[queue]:
            deep = await depth(connection, name)
            if deep is None:
                raise _missing(name)
            messages: list[DeliveredMessage] = []
            async with _taking(connection, name, self.window) as (channel, take):
                for _ in range(min(self.window, deep.messages)):
                    if (message := await take()) is None:
                        break
                    messages.append(message)
                window = _Window(channel, messages)
                yield window
            await _given_back(connection, name, deep.messages - window.settled)
            if any(looks_at(message) >= WORN for message in messages):
                _log.info("dead_letters_published_anew", queue=name)
                count = await _messages(connection, name)
                await _move(connection, name, name, count, COUNTED, lambda _, __: None, asyncio.Event())
                await _given_back(connection, name, count)  # the copies come to its consumer, too


@asynccontextmanager
async def _taking(connection: Connection, queue: str, prefetch: int) -> AsyncIterator[tuple[AbstractChannel, _Take]]:
    """A channel with a consumer of the queue. Closing it gives back what is not acknowledged."""
    arrived: asyncio.Queue[DeliveredMessage] = asyncio.Queue()

    async def arrive(message: DeliveredMessage) -> None:
        arrived.put_nowait(message)

    async def take() -> DeliveredMessage | None:
        try:
            async with asyncio.timeout(STEP_S):
                return await arrived.get()
        except TimeoutError:
            if channel.is_closed:
                raise BrokerAway("the connection broke") from None
            return None  # somebody else has taken the rest

    async with asyncio.timeout(STEP_S):
        channel = await connection.open_channel()
        await channel.basic_qos(prefetch_count=prefetch)
        await channel.basic_consume(queue, arrive)
    yield channel, take
    async with asyncio.timeout(STEP_S):
        await channel.close()


async def _given_back(connection: Connection, queue: str, messages: int) -> None:
    """Wait until the queue has so many messages again: what a closed channel held comes back some moments later.

    Not for long: another process may have taken some.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(BACK_WITHIN_S):
            while await _messages(connection, queue) < messages:  # noqa: ASYNC110 -- no event tells
                await asyncio.sleep(0.02)


async def _messages(connection: Connection, queue: str) -> int:
    deep = await depth(connection, queue)
    return deep.messages if deep else 0


async def _move(
    connection: Connection, source: str, target: str, count: int, without: tuple[str, ...], progress: Progress,
    stop: asyncio.Event,
) -> int:  # fmt: skip
    """Pass so many messages on from the source, until told to stop; how many that were."""
    if count == 0:
        return 0
    moved = 0
    async with _taking(connection, source, BATCH) as (channel, take):
        while moved < count and not stop.is_set():
            batch: list[DeliveredMessage] = []
            while len(batch) < min(BATCH, count - moved) and (message := await take()) is not None:
                batch.append(message)
            if not batch:
                break
            await _pass_on(channel, target, batch, without)
            await channel.basic_ack(batch[-1].delivery_tag or 0, multiple=True)
            moved += len(batch)
            progress(moved, count)
    return moved


async def _pass_on(
    channel: AbstractChannel, target: str, messages: Sequence[DeliveredMessage], without: tuple[str, ...]
) -> None:
    """Publish the messages into the target, without the headers that begin so. They are confirmed there afterwards."""
    await put(channel, target, [(message.body, copied(message.header.properties, without)) for message in messages])


async def _acknowledge(channel: AbstractChannel, messages: Sequence[DeliveredMessage]) -> None:
    for message in messages:
        assert message.delivery_tag is not None
        await channel.basic_ack(message.delivery_tag)


async def _count(connection: Connection, queue: str) -> int:
    deep = await depth(connection, dead_letters_of(queue))
    if deep is None and queue not in _CONTRACT:
        raise _missing(dead_letters_of(queue))  # a slip of the pen, more likely than not
    return deep.messages if deep else 0


async def _see_to(connection: Connection, queue: str) -> None:
    """See that there is the queue: those of the contract are declared."""
    if queue not in _CONTRACT:
        if await depth(connection, queue) is None:
            raise _missing(queue)
        return
    async with asyncio.timeout(STEP_S):
        channel = await connection.open_channel()
        await topology.declare(channel)
        await channel.close()


def _missing(queue: str) -> Unavailable:
    return Unavailable(f"RabbitMQ: there is no queue {queue}: `strongbox relay` and the consumers declare theirs")
