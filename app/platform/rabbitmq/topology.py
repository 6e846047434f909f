"""Exchanges, queues and their bindings, with one set of arguments: whoever needs them declares them here."""

from typing import Final

import structlog
from aiormq.abc import AbstractChannel
from aiormq.exceptions import AMQPError, ChannelAccessRefused, ChannelPreconditionFailed
from pamqp.common import FieldTable

from app.kernel.topology import Exchange, Queue

# How often the broker redelivers what a dying consumer never settled, before its own dead-lettering takes the message
# out. The consumers dead-letter by themselves, so this is the net for a message that kills its consumer every time.
DELIVERY_LIMIT: Final = 50

_log = structlog.get_logger(__name__)


class NotPermitted(ConnectionError):  # noqa: N818 -- it says what the user is not
    """The broker's user lacks a permission."""


async def declare(channel: AbstractChannel, exchange: Exchange) -> None:
    """Declare the exchange, and its queues with what it feeds them. What is there already stays as it is.

    Raises:
        ChannelPreconditionFailed: a queue or the exchange exists with other arguments; it is logged by name.
        NotPermitted: the broker's user may not do it; the message names the permission.
    """
    name = exchange.name
    try:
        await channel.exchange_declare(name, exchange_type="topic", durable=True)
        for queue in exchange.queues:
            name = queue.dead_letters
            await channel.queue_declare(name, durable=True, arguments={"x-queue-type": "quorum"})
            name = queue.name
            await channel.queue_declare(name, durable=True, arguments=_arguments(queue))
    except ChannelPreconditionFailed as error:
        _log.error("topology_mismatch", name=name, reason=str(error))
        raise
    except ChannelAccessRefused as error:
        raise NotPermitted(f"the permission `configure` for {name} is missing ({error})") from error
    for name, routing_key in exchange.bindings:
        try:
            await channel.queue_bind(name, exchange.name, routing_key)
        except ChannelAccessRefused as error:
            missing = f"the permission `write` for {name} or `read` for {exchange.name} is missing"
            raise NotPermitted(f"{missing} ({error})") from error


async def may_configure(channel: AbstractChannel, queue: str) -> bool:
    """Whether the broker's user may declare the queue. It is not declared: the arguments are none. Ends the channel."""
    try:
        await channel.queue_declare(queue, durable=True, arguments={"x-expires": "never"})
    except ChannelAccessRefused:
        return False
    except AMQPError:
        return True
    return True


async def check(channel: AbstractChannel, exchange: Exchange) -> None:
    """See that every queue of the exchange's contract exists.

    Raises:
        ChannelNotFoundEntity: one does not.
    """
    for queue in exchange.queues:
        await channel.queue_declare(queue.name, passive=True)


def _arguments(queue: Queue) -> FieldTable:
    ordered: FieldTable = {"x-single-active-consumer": True} if queue.ordered else {}
    return {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue.dead_letters,
        # At least once needs reject-publish: drop-head would throw away what waits to be dead-lettered.
        "x-dead-letter-strategy": "at-most-once" if queue.yields else "at-least-once",
        "x-overflow": "drop-head" if queue.yields else "reject-publish",
        "x-delivery-limit": DELIVERY_LIMIT,
        **ordered,
    }
