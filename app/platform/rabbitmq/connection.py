"""Connections to RabbitMQ: the first of several hosts that answers, and an end to them that never hangs.

Not `connect_robust`: it knows one host, waits seconds between attempts, and restores a topology of its own accord.
Whoever holds one of these connections opens a new one when it breaks.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import aio_pika
from aiormq.abc import AbstractChannel
from aiormq.connection import TCPTransportFactory, TLSTransportFactory
from aiormq.exceptions import AMQPError
from yarl import URL

from app.platform.rabbitmq.deliveries import Deliveries

CONNECT_TIMEOUT_S: Final = 2.0
CLOSE_TIMEOUT_S: Final = 2.0
HEARTBEAT_S: Final = 10

# Everything that a broken, closing, hanging or refusing broker makes of a call. A closed aiormq connection answers
# some calls with a plain RuntimeError.
BrokerError: Final = (AMQPError, OSError, TimeoutError, RuntimeError)


# Everything that it logs as an error or with a traceback is raised as well, and said once by whoever handles it.
logging.getLogger("aiormq").setLevel(logging.CRITICAL)


class BrokerAway(ConnectionError):  # noqa: N818 -- it says what the broker is, for now
    """No broker answered."""


class BrokerConnection(aio_pika.Connection):
    """A connection whose socket can be dropped without asking the broker, which may not be reading any more."""

    def __init__(self, url: URL, **kwargs: Any) -> None:
        super().__init__(url, **kwargs)
        tls = self.url.scheme == "amqps"
        self._streams = _KeptTLS() if tls else _KeptTCP()
        self.kwargs["transport_factory"] = self._streams

    @property
    def deliveries(self) -> Deliveries:
        """What the broker delivers on this connection's channels, once it is connected."""
        assert self._streams.deliveries is not None, "connected"
        return self._streams.deliveries

    def __del__(self) -> None:
        """Nothing: whoever connects also ends or aborts. (The base class starts a task, in whatever loop there is.)"""

    @property
    def is_usable(self) -> bool:
        """Whether it is open. (`is_closed` is true only of a connection that was closed from this side.)"""
        return self.transport is not None and not self.transport.connection.is_closed

    async def open_channel(self) -> AbstractChannel:
        """A channel with publisher confirms, on which an unroutable message raises."""
        if self.transport is None:
            raise BrokerAway("not connected")
        # Straight from aiormq: a batch leaves with one write there, and a message arrives without a wrapper.
        return await self.transport.connection.channel(publisher_confirms=True, on_return_raises=True)

    async def end(self) -> None:
        """Close, politely if the broker plays along, and within `CLOSE_TIMEOUT_S` if it does not."""
        with suppress(*BrokerError):
            await asyncio.wait_for(self.close(), CLOSE_TIMEOUT_S)
        self.abort()

    def abort(self) -> None:
        """Drop the socket."""
        if self._streams.writer is not None:
            self._streams.writer.transport.abort()


class _Kept:
    """A factory that keeps hold of the streams it makes."""

    writer: asyncio.StreamWriter | None = None
    deliveries: Deliveries | None = None

    async def create(self, url: URL, **kwargs: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, self.writer = await super().create(url, **kwargs)  # type: ignore[misc]
        self.deliveries = Deliveries(reader.feed_data)
        reader.feed_data = self.deliveries.feed
        return reader, self.writer


class _KeptTCP(_Kept, TCPTransportFactory):
    pass


class _KeptTLS(_Kept, TLSTransportFactory):
    pass


def split(urls: str) -> tuple[str, ...]:
    """The brokers of a RABBITMQ_URL: one URL, or several with commas between them.

    Raises:
        ValueError: none is given, or one is not an AMQP URL. The message shows no password.
    """
    brokers = tuple(url.strip() for url in urls.split(",") if url.strip())
    if not brokers:
        raise ValueError("RABBITMQ_URL is not set")
    for number, broker in enumerate(brokers, start=1):
        if not broker.startswith(("amqp://", "amqps://")):
            raise ValueError(f"RABBITMQ_URL: broker {number} does not begin with amqp:// or amqps://")
    return brokers


async def connect(brokers: Sequence[str], name: str) -> BrokerConnection:
    """Connect to whichever broker answers first in a random order, so that clients spread over a cluster.

    Raises:
        BrokerAway: none did.
    """
    reasons = []
    for broker in random.sample(brokers, len(brokers)):
        url = URL(broker)
        defaults = {"heartbeat": str(HEARTBEAT_S), "name": name}
        url = url.update_query({key: value for key, value in defaults.items() if key not in url.query})
        connection = BrokerConnection(url)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await connection.connect()
        except BrokerError as error:
            connection.abort()
            reasons.append(f"{url.host}:{url.port}: {error or type(error).__name__}")
        except BaseException:
            connection.abort()
            raise
        else:
            return connection
    raise BrokerAway("; ".join(reasons))


@asynccontextmanager
async def connected(brokers: Sequence[str], name: str) -> AsyncIterator[BrokerConnection]:
    """A connection that is ended on the way out.

    Raises:
        BrokerAway: no broker answered.
    """
    connection = await connect(brokers, name)
    try:
        yield connection
    finally:
        await connection.end()
