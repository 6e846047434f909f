"""Queues by name, for operators: how full they are, and publishing straight into one of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiormq import spec
from aiormq.abc import AbstractChannel
from aiormq.exceptions import ChannelNotFoundEntity, DeliveryError, PublishError
from pamqp.common import FieldTable

from app.kernel.errors import Unavailable
from app.platform.messaging.replay import PastEvent
from app.platform.operations.judgement import QueueFigures
from app.platform.rabbitmq.connection import BrokerConnection, BrokerError, connected
from app.platform.rabbitmq.framing import CONTENT_TYPE, PERSISTENT
from app.platform.rabbitmq.topology import may_configure

STEP_S: Final = 10.0
"""What a broker that is there needs for none of what is asked of it here."""


@asynccontextmanager
async def broker(brokers: Sequence[str], name: str) -> AsyncIterator[BrokerConnection]:
    """A connection for a command.

    Raises:
        Unavailable: no broker answered, or it broke off; the message says why.
    """
    try:
        async with connected(brokers, name) as connection:
            yield connection
    except TimeoutError as error:
        raise Unavailable("RabbitMQ does not answer") from error
    except BrokerError as error:
        raise Unavailable(f"RabbitMQ: {error or type(error).__name__}") from error
    except asyncio.CancelledError as error:
        # aiormq ends the calls of a breaking connection by cancelling them; nobody cancelled *us*.
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise Unavailable("RabbitMQ: the connection broke") from error


async def depth(connection: BrokerConnection, queue: str) -> QueueFigures | None:
    """How full the queue is; None where there is none of that name.

    Raises:
        Unavailable: the name has a character that the AMQP library does not take.
    """
    async with asyncio.timeout(STEP_S):
        channel = await connection.open_channel()
        try:
            declared = await channel.queue_declare(queue, passive=True)
        except ChannelNotFoundEntity:
            return None
        except ValueError:
            raise Unavailable(f"RabbitMQ: {queue!r} is not a name of a queue that can be asked for") from None
        await channel.close()
    return QueueFigures(declared.message_count or 0, declared.consumer_count or 0)


async def depths(brokers: Sequence[str], queues: Sequence[str]) -> Mapping[str, QueueFigures | None]:
    """How full the queues are; None for those that do not exist.

    Raises:
        Unavailable: no broker answered.
    """
    async with broker(brokers, "strongbox-status") as connection:
        return {queue: await depth(connection, queue) for queue in queues}


async def unconfigurable(brokers: Sequence[str], queues: Sequence[str]) -> Sequence[str]:
    """Those of the missing queues that the broker's user may not declare.

    Raises:
        Unavailable: no broker answered.
    """
    async with broker(brokers, "strongbox-status") as connection, asyncio.timeout(STEP_S):
        return [queue for queue in queues if not await may_configure(await connection.open_channel(), queue)]


async def put(channel: AbstractChannel, queue: str, messages: Sequence[tuple[bytes, spec.Basic.Properties]]) -> None:
    """Publish the messages into the queue, in their order; each is confirmed there when this returns.

    Raises:
        Unavailable: one was not taken; others may be there.
    """
    async with asyncio.timeout(STEP_S):
        results = await asyncio.gather(
            *(
                channel.basic_publish(body, routing_key=queue, properties=properties, mandatory=True)
                for body, properties in messages
            ),
            return_exceptions=True,
        )
    for result in results:
        match result:
            case PublishError():
                raise Unavailable(f"RabbitMQ: there is no queue {queue} any more")
            case DeliveryError():
                raise Unavailable(f"RabbitMQ: {queue} takes no messages now (nack)")
            case BaseException():
                raise result


async def put_events(channel: AbstractChannel, queue: str, events: Sequence[PastEvent]) -> None:
    """Publish events into the queue as they were published before. Raises as `put` does."""
    await put(channel, queue, [(event.body, _properties(str(event.event_id), event.type)) for event in events])


def copied(properties: spec.Basic.Properties, without: tuple[str, ...]) -> spec.Basic.Properties:
    """A message's properties for publishing it again, without the headers that begin like that."""
    headers: FieldTable = {k: v for k, v in (properties.headers or {}).items() if not k.startswith(without)}
    return _properties(properties.message_id, properties.message_type, properties.content_type, headers)


def _properties(
    id: str | None, type: str | None, content_type: str | None = CONTENT_TYPE, headers: FieldTable | None = None
) -> spec.Basic.Properties:
    return spec.Basic.Properties(
        content_type=content_type, delivery_mode=PERSISTENT, message_id=id, message_type=type, headers=headers
    )
