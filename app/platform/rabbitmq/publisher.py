"""Publish events to RabbitMQ, and say `Confirmed` only of those that every queue of the exchange's contract has."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol

import structlog
from aiormq.abc import AbstractChannel
from aiormq.exceptions import ChannelClosed, ChannelPreconditionFailed, DeliveryError, PublishError

from app.kernel.topology import Exchange, Queue
from app.platform.messaging.ports import BrokerUnavailable, Confirmed, OutboxMessage, Outcome, Rejected
from app.platform.messaging.waves import publish_in_waves
from app.platform.rabbitmq import topology
from app.platform.rabbitmq.connection import BrokerAway, BrokerConnection, BrokerError, connect
from app.platform.rabbitmq.framing import Bindings, Outgoing, forget, publish_at_once
from app.platform.rabbitmq.topology import NotPermitted

# All of it: connecting, declaring, publishing, the confirms, the check of the queues.
TIMEOUT_S: Final = 4.0
LISTENER_WITHIN_S: Final = 1.0


class _Publish(Protocol):
    """See `publish_at_once`."""

    def __call__(
        self, channel: AbstractChannel, exchange: str, bindings: Bindings, messages: Sequence[Outgoing], *,
        mandatory: bool,
    ) -> Awaitable[Sequence[Awaitable[object]]]: ...  # fmt: skip


_log = structlog.get_logger(__name__)


class _TooMuch(Exception):  # noqa: N818 -- never seen outside
    """The broker closed the channel over one of the messages just sent, not saying which."""


class RabbitPublisher:
    """A `Publisher` to one exchange. Calls may overlap, as long as no two have an event of the same subject.

    `brokers` are AMQP URLs, of which any one will do. The connection is made when it is first needed, and again when it
    broke. It is this exchange's alone: RabbitMQ slows a whole connection down for one queue that is behind, and what
    hangs is ended with its connection.

    Queues that only listen are declared and bound as well, before anything is published, so that they miss nothing; but
    no event waits for one of them, whatever is wrong with it.
    """

    def __init__(
        self,
        brokers: Sequence[str],
        exchange: Exchange,
        *,
        listening: Sequence[Queue] = (),
        name: str = "strongbox-relay",
        timeout_s: float = TIMEOUT_S,
        publish: _Publish = publish_at_once,
    ) -> None:
        self._brokers = tuple(brokers)
        self._exchange = exchange
        self._listening = tuple(listening)
        self._name = name
        self._timeout_s = timeout_s
        self._publish = publish
        self._connection: BrokerConnection | None = None
        self._connecting = asyncio.Lock()
        self._idle: list[AbstractChannel] = []
        self._declared = False

    async def publish(self, messages: Sequence[OutboxMessage]) -> Sequence[Outcome]:
        """See `Publisher.publish`."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._publish_checked(messages)
        except BrokerError as error:
            raise BrokerUnavailable(f"{type(error).__name__}: {error}") from error
        except asyncio.CancelledError as error:
            # aiormq ends the calls of a breaking connection by cancelling them; nobody cancelled *us*.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise BrokerUnavailable("the connection broke") from error

    async def close(self) -> None:
        """Close the connection, within seconds."""
        connection = self._forget()
        if connection is not None:
            await connection.end()

    async def _publish_checked(self, messages: Sequence[OutboxMessage]) -> list[Outcome]:
        # Mandatory publishing says nothing while one of two queues takes the message. So: bound right before, there
        # right after.
        bindings: Bindings = self._exchange.bindings

        async def publish(wave: Sequence[OutboxMessage]) -> Sequence[Outcome]:
            nonlocal bindings
            outcomes = await self._publish_parts(list(map(_outgoing, wave)), bindings)
            bindings = ()
            return outcomes

        outcomes = await publish_in_waves(messages, publish)
        async with self._channel() as channel:
            await topology.check(channel, self._exchange)
        return outcomes

    async def _publish_parts(self, messages: Sequence[Outgoing], bindings: Bindings) -> list[Outcome]:
        try:
            async with self._channel() as channel:
                return await self._publish_to(channel, messages, bindings)
        except _TooMuch as error:
            if len(messages) == 1:
                return [Rejected(str(error))]
        half = len(messages) // 2
        first = await self._publish_parts(messages[:half], bindings)
        return first + await self._publish_parts(messages[half:], bindings)

    async def _publish_to(
        self, channel: AbstractChannel, messages: Sequence[Outgoing], bindings: Bindings
    ) -> list[Outcome]:
        mandatory = bool(self._exchange.bindings)  # where no queue has to have them who wants them has one of his own
        confirms = await self._publish(channel, self._exchange.name, bindings, messages, mandatory=mandatory)
        outcomes: list[Outcome] = []
        refused = 0
        for confirm, message in zip(confirms, messages, strict=True):
            try:
                await confirm
                outcomes.append(Confirmed())
            except PublishError:
                outcomes.append(Rejected(f"no queue is bound for {message.type!r}"))
            except DeliveryError:
                # A queue that cannot take messages now (no quorum, say): that tells nothing about this one.
                refused += 1
            except ChannelPreconditionFailed as error:
                raise _TooMuch(str(error)) from error
        forget(channel, messages)
        if refused:
            raise BrokerUnavailable(f"{refused} of {len(messages)} messages were refused (nack)")
        return outcomes

    @asynccontextmanager
    async def _channel(self) -> AsyncIterator[AbstractChannel]:
        channel = await self._open()
        try:
            yield channel
        except (ChannelClosed, _TooMuch):
            self._declared = False  # most likely a queue or the exchange is missing: declare them first next time
            raise
        except BrokerUnavailable:
            # Where RabbitMQ refused it may keep refusing on that channel, though the queue takes messages again.
            await channel.close()
            raise
        except BaseException:
            # Whatever is still under way must not meet the next batch, and a hanging broker is not waited for.
            connection = self._forget()
            if connection is not None:
                connection.abort()
            raise
        if not channel.is_closed:
            self._idle.append(channel)

    async def _open(self) -> AbstractChannel:
        async with self._connecting:
            if self._connection is None or not self._connection.is_usable:
                self._forget()
                self._connection = await connect(self._brokers, self._name)
            while self._idle:
                channel = self._idle.pop()
                if not channel.is_closed:
                    break
            else:
                channel = await self._connection.open_channel()
            if not self._declared:
                try:
                    await topology.declare(channel, self._exchange)
                except ChannelPreconditionFailed as error:
                    raise BrokerAway(f"the topology is another one: {error}") from error
                for queue in self._listening:
                    await self._bind(self._connection, queue)
                self._declared = True
            return channel

    async def _bind(self, connection: BrokerConnection, queue: Queue) -> None:
        """Have a queue listen. What is wrong with it ends the channel, which is its alone."""
        channel = await connection.open_channel()
        try:
            async with asyncio.timeout(LISTENER_WITHIN_S):
                await topology.declare(channel, Exchange(self._exchange.name, (queue,)))
                await channel.close()
        except (ChannelClosed, NotPermitted, TimeoutError) as error:
            reason = f"{type(error).__name__}: {error}"
            _log.error("queue_does_not_listen", queue=queue.name, exchange=self._exchange.name, reason=reason)

    def _forget(self) -> BrokerConnection | None:
        connection, self._connection = self._connection, None
        self._idle.clear()
        self._declared = False
        return connection


def _outgoing(message: OutboxMessage) -> Outgoing:
    return Outgoing(
        str(message.event_id),
        message.type,
        message.body,
        message.traceparent,
        None if message.tenant_id is None else str(message.tenant_id),
    )
