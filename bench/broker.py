"""The contract queues, seen from outside, and what is put there by hand."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from aiormq.abc import AbstractChannel
from pamqp.commands import Basic

from app.contexts.payments.public import EVENTS
from app.kernel.topology import Exchange, Queue
from app.platform.rabbitmq import topology
from app.platform.rabbitmq.connection import connected

T = TypeVar("T")


def declare(url: str, exchange: Exchange = EVENTS) -> None:
    """See that exchange and queues exist."""
    _do(url, lambda channel: topology.declare(channel, exchange))


def publish(url: str, exchange: Exchange, key: str, documents: Sequence[str]) -> None:
    """Put events of one type there, until the broker has confirmed each."""
    properties = Basic.Properties(content_type="application/cloudevents+json", delivery_mode=2, message_type=key)

    async def publish(channel: AbstractChannel) -> None:
        await topology.declare(channel, exchange)
        await asyncio.gather(
            *(
                channel.basic_publish(each.encode(), exchange=exchange.name, routing_key=key, properties=properties)
                for each in documents
            )
        )

    _do(url, publish)


def purge(url: str, exchange: Exchange = EVENTS) -> None:
    """Empty the queues."""

    async def purge(channel: AbstractChannel) -> None:
        for queue in exchange.queues:
            await channel.queue_purge(queue.name)

    _do(url, purge)


def waiting(url: str, queue: Queue) -> int:
    """How many messages are in the queue."""

    async def count(channel: AbstractChannel) -> int:
        return (await channel.queue_declare(queue.name, passive=True)).message_count or 0

    return _do(url, count)


def _do(url: str, action: Callable[[AbstractChannel], Awaitable[T]]) -> T:
    async def do() -> T:
        async with connected((url,), "strongbox-bench") as connection:
            return await action(await connection.open_channel())

    return asyncio.run(do())
