"""The exchange, the queues and their bindings, with one set of arguments: whoever needs them declares them here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from aiormq.abc import AbstractChannel
from aiormq.exceptions import AMQPError, ChannelAccessRefused, ChannelPreconditionFailed
from pamqp.common import FieldTable

EXCHANGE: Final = "payments.events"

# How often the broker redelivers what a dying consumer never settled, before its own dead-lettering takes the message
# out. The consumers dead-letter by themselves, so this is the net for a message that kills its consumer every time.
DELIVERY_LIMIT: Final = 50

_log = structlog.get_logger(__name__)


class NotPermitted(ConnectionError):  # noqa: N818 -- it says what the user is not
    """The broker's user lacks a permission."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue: its name, its dead-letter queue, and the routing keys it is bound with: words, and `*` for any one word.

    Of the consumers of an `ordered` queue one gets all the messages, and when it is gone the next one does.
    """

    name: str
    dead_letters: str
    bindings: tuple[str, ...]
    ordered: bool = False

    def takes(self, routing_key: str) -> bool:
        """Whether a message with this key is routed here."""
        return any(_matches(binding, routing_key) for binding in self.bindings)


METRICS: Final = Queue("metrics.queue", "metrics.dlq", ("payment.*",))
AUDIT: Final = Queue("audit.queue", "audit.dlq", ("payment.*", "refund.*"))
QUEUES: Final = (METRICS, AUDIT)
BINDINGS: Final = tuple((queue.name, routing_key) for queue in QUEUES for routing_key in queue.bindings)


async def declare(channel: AbstractChannel, queues: Sequence[Queue] = QUEUES) -> None:
    """Declare the exchange, and the queues with their bindings. What is there already stays as it is.

    Raises:
        ChannelPreconditionFailed: a queue or the exchange exists with other arguments; it is logged by name.
        NotPermitted: the broker's user may not do it; the message names the permission.
    """
    name = EXCHANGE
    try:
        await channel.exchange_declare(EXCHANGE, exchange_type="topic", durable=True)
        for queue in queues:
            name = queue.dead_letters
            await channel.queue_declare(name, durable=True, arguments={"x-queue-type": "quorum"})
            name = queue.name
            await channel.queue_declare(name, durable=True, arguments=_arguments(queue))
    except ChannelPreconditionFailed as error:
        _log.error("topology_mismatch", name=name, reason=str(error))
        raise
    except ChannelAccessRefused as error:
        raise NotPermitted(f"the permission `configure` for {name} is missing ({error})") from error
    for queue in queues:
        for routing_key in queue.bindings:
            try:
                await channel.queue_bind(queue.name, EXCHANGE, routing_key)
            except ChannelAccessRefused as error:
                missing = f"the permission `write` for {queue.name} or `read` for {EXCHANGE} is missing"
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


async def check(channel: AbstractChannel) -> None:
    """See that every contract queue exists.

    Raises:
        ChannelNotFoundEntity: one does not.
    """
    for queue in QUEUES:
        await channel.queue_declare(queue.name, passive=True)


def dead_letters_of(queue: str) -> str:
    """Where the dead letters of a queue lie: those of `NAME.queue` in `NAME.dlq`, the contract's and anybody's."""
    return f"{queue.removesuffix('.queue')}.dlq"


def _matches(binding: str, routing_key: str) -> bool:
    words, given = binding.split("."), routing_key.split(".")
    return len(words) == len(given) and all(word in ("*", key) for word, key in zip(words, given, strict=True))


def _arguments(queue: Queue) -> FieldTable:
    ordered: FieldTable = {"x-single-active-consumer": True} if queue.ordered else {}
    return {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue.dead_letters,
        # At least once needs reject-publish: drop-head would throw away what waits to be dead-lettered.
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        "x-delivery-limit": DELIVERY_LIMIT,
        **ordered,
    }
