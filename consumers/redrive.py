"""Put dead letters back into their queue, for its consumer to try again."""

import asyncio
from collections.abc import Sequence

from aiormq import spec

from app.adapters.rabbitmq import topology
from app.adapters.rabbitmq.connection import connected


async def redrive(brokers: Sequence[str], queue: topology.Queue, timeout_s: float = 5.0) -> int:
    """Move what is in the queue's dead-letter queue now back into the queue; answer how many messages that were.

    Each is confirmed there before it leaves here: one that a crash leaves in both comes twice, which has one effect.

    Raises:
        ConnectionError: no broker answered; what was moved until then is.
    """
    async with connected(brokers, "strongbox-redrive") as connection:
        async with asyncio.timeout(timeout_s):
            channel = await connection.open_channel()
            await topology.declare(channel)
            waiting = (await channel.queue_declare(queue.dead_letters, passive=True)).message_count or 0
        for moved in range(waiting):
            async with asyncio.timeout(timeout_s):
                message = await channel.basic_get(queue.dead_letters)
                if message.delivery_tag is None or isinstance(message.delivery, spec.Basic.GetEmpty):
                    return moved
                given = message.header.properties
                headers = {k: v for k, v in (given.headers or {}).items() if not k.startswith(("x-death", "x-first-"))}
                properties = spec.Basic.Properties(
                    content_type=given.content_type,
                    message_id=given.message_id,
                    message_type=given.message_type,
                    delivery_mode=2,
                    headers=headers,
                )
                # Straight into the queue: the other consumers have had the message.
                await channel.basic_publish(message.body, routing_key=queue.name, properties=properties, mandatory=True)
                await channel.basic_ack(message.delivery_tag)
    return waiting
