"""The contract queues, seen from outside."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiormq.abc import AbstractChannel

from app.adapters.rabbitmq import topology
from app.adapters.rabbitmq.connection import connected

T = TypeVar("T")


def declare(url: str) -> None:
    """See that exchange and queues exist."""
    _do(url, topology.declare)


def purge(url: str) -> None:
    """Empty the queues."""

    async def purge(channel: AbstractChannel) -> None:
        for queue in topology.QUEUES:
            await channel.queue_purge(queue.name)

    _do(url, purge)


def waiting(url: str, queue: topology.Queue) -> int:
    """How many messages are in the queue."""

    async def count(channel: AbstractChannel) -> int:
        return (await channel.queue_declare(queue.name, passive=True)).message_count or 0

    return _do(url, count)


def _do(url: str, action: Callable[[AbstractChannel], Awaitable[T]]) -> T:
    async def do() -> T:
        async with connected((url,), "strongbox-bench") as connection:
            return await action(await connection.open_channel())

    return asyncio.run(do())
