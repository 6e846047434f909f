"""What the tests from the outbox outward share: events, rows, and a look into RabbitMQ."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from aiormq import spec
from aiormq.abc import AbstractChannel, DeliveredMessage

from app.contexts.payments.public import EVENTS
from app.main.local.rabbitmq import RabbitMQNode
from app.platform.messaging.ports import OutboxMessage
from app.platform.postgres.pool import Pool, make_pool
from app.platform.rabbitmq import connection as connections
from app.platform.rabbitmq import consumer as consumers
from app.platform.rabbitmq import dead_letters, topology
from app.platform.rabbitmq import publisher as publishers
from app.platform.rabbitmq.connection import BrokerConnection, connected, split

TYPES = {1: "payment.created", 2: "payment.failed", 3: "refund.created"}
STATUSES = {1: "PENDING", 2: "DECLINED"}
LIMIT_S = 120.0
"""What tells soon from never."""


def document(payment_id: UUID, sequence: int = 1, event_id: UUID | None = None, **data: object) -> bytes:
    """An event as the contract has it."""
    payment = {"payment_id": str(payment_id), "amount": 100, "currency": "USD", "status": STATUSES.get(sequence)}
    return json.dumps(
        {
            "specversion": "1.0",
            "id": str(event_id or uuid4()),
            "source": "/strongbox",
            "type": TYPES[sequence],
            "subject": str(payment_id),
            "time": "2026-01-02T03:04:05.678901Z",
            "datacontenttype": "application/json",
            "sequence": sequence,
            "data": payment | data,
        }
    ).encode()


def outbox_message(sequence: int = 1, *, payment_id: UUID | None = None, attempts: int = 0) -> OutboxMessage:
    """A message as a relay has claimed it."""
    payment_id, event_id = payment_id or uuid4(), uuid4()
    number = time.monotonic_ns()
    body = document(payment_id, sequence, event_id)
    return OutboxMessage(uuid4(), number, event_id, payment_id, TYPES[sequence], body, 0, attempts)


def insert_events(url: str, payments: Sequence[UUID], sequences: Sequence[int] = (1, 2)) -> list[UUID]:
    """Put events of the payments into the outbox, as their transactions would; the ids in the order of insertion."""
    ids = []
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for sequence in sequences:
            for number, payment_id in enumerate(payments):
                ids.append(event_id := uuid4())
                body = document(payment_id, sequence, event_id).decode()
                cursor.execute(
                    "INSERT INTO payments.outbox_events"
                    " (user_id, event_id, subject, sequence, type, payload, partition, created_at)"
                    " VALUES (%s, %s, %s, %s, %s, %s, %s, now())",
                    (payment_id, event_id, payment_id, sequence, TYPES[sequence], body, number % 16),
                )
    return ids


def query(url: str, statement: str, *arguments: object) -> list[Any]:
    """The rows of a statement, run on a connection of its own."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode(), arguments)
        return cursor.fetchall() if cursor.description is not None else []


def unsent(url: str) -> int:
    """How many events wait in the outbox."""
    return int(query(url, "SELECT count(*) FROM payments.outbox_events WHERE sent_at IS NULL")[0][0])


async def eventually(holds: Callable[[], Any], limit_s: float = LIMIT_S) -> None:
    """Wait until the condition, which may be a coroutine function, holds."""
    deadline = time.monotonic() + limit_s
    while True:
        result = holds()
        if isinstance(result, Awaitable):
            result = await result
        if result:
            return
        assert time.monotonic() < deadline, f"not within {limit_s} s"
        await asyncio.sleep(0.03)


@asynccontextmanager
async def running(run: Callable[[asyncio.Event], Awaitable[None]]) -> AsyncIterator[asyncio.Event]:
    """Something that runs until it is told to stop, which it does at the end, within a limit."""
    stop = asyncio.Event()
    task = asyncio.ensure_future(run(stop))
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(LIMIT_S):
            await task


@asynccontextmanager
async def outbox_pool(url: str) -> AsyncIterator[Pool]:
    """An open pool of the services' kind."""
    pool = make_pool(url, "tests", 6)
    await pool.open(wait=True, timeout=LIMIT_S)
    try:
        yield pool
    finally:
        await pool.close()


@dataclass
class Broker:
    """A look into RabbitMQ from outside."""

    url: str
    connection: BrokerConnection
    channel: AbstractChannel

    async def depth(self, queue: str) -> int:
        """How many messages are ready in the queue; -1 when there is no such queue."""
        channel = await self.connection.open_channel()
        try:
            declared = await channel.queue_declare(queue, passive=True)
        except Exception:
            return -1
        await channel.close()
        return declared.message_count or 0

    async def consumers(self, queue: str) -> int:
        """How many consume the queue; 0 when there is no such queue."""
        channel = await self.connection.open_channel()
        try:
            declared = await channel.queue_declare(queue, passive=True)
        except Exception:
            return 0
        await channel.close()
        return declared.consumer_count or 0

    async def take(self, queue: str) -> list[DeliveredMessage]:
        """All messages that are ready in the queue."""
        taken: list[DeliveredMessage] = []
        while True:
            message = await self.channel.basic_get(queue, no_ack=True)
            if isinstance(message.delivery, spec.Basic.GetEmpty):
                return taken
            taken.append(message)

    async def send(self, body: bytes, routing_key: str = "payment.created") -> None:
        """Publish to the contract's exchange."""
        properties = spec.Basic.Properties(message_id=str(uuid4()), delivery_mode=2, message_type=routing_key)
        await self.channel.basic_publish(
            body, exchange=EVENTS.name, routing_key=routing_key, properties=properties, mandatory=True
        )


@asynccontextmanager
async def broker_as_it_is(url: str) -> AsyncIterator[Broker]:
    """RabbitMQ, left as it is."""
    async with connected(split(url), "tests") as connection:
        yield Broker(url, connection, await connection.open_channel())


async def queues_outlive_a_kill(node: RabbitMQNode) -> None:
    """RabbitMQ notes on disk only some moments later which quorum queues it has, and one that it has not noted when the
    node is killed has no leader ever after. They are noted together: all, once one is that is younger than they."""
    youngest = f"youngest-{uuid4().hex}"
    async with broker_as_it_is(node.url) as broker:
        await broker.channel.queue_declare(youngest, durable=True, arguments={"x-queue-type": "quorum"})
    await eventually(lambda: any(youngest.encode() in noted.read_bytes() for noted in node.folder.rglob("names.dets")))


@asynccontextmanager
async def clean_broker(url: str) -> AsyncIterator[Broker]:
    """The contract's topology, freshly declared and empty."""
    async with broker_as_it_is(url) as broker:
        await remove_topology(broker.channel)
        await topology.declare(broker.channel, EVENTS)
        yield broker


@pytest.fixture(scope="module")
def patient_brokers() -> Iterator[None]:
    """A broker that a busy machine has wait is none that is away."""
    publishing = publishers.RabbitPublisher.__init__.__kwdefaults__
    assert publishing is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "CONNECT_TIMEOUT_S", 60.0)
        patch.setattr(consumers, "BROKER_TIMEOUT_S", 60.0)
        patch.setattr(dead_letters, "BACK_WITHIN_S", 60.0)
        patch.setattr(publishers, "LISTENER_WITHIN_S", 60.0)
        patch.setitem(publishing, "timeout_s", 60.0)
        yield


@pytest.fixture
async def broker(rabbitmq_url: str) -> AsyncIterator[Broker]:
    """That, for one test."""
    async with clean_broker(rabbitmq_url) as broker:
        yield broker


async def remove_topology(channel: AbstractChannel) -> None:
    """Delete the exchange and all queues."""
    for queue in EVENTS.queues:
        for name in (queue.name, queue.dead_letters):
            await channel.queue_delete(name)
    with suppress(Exception):
        await channel.exchange_delete(EVENTS.name)
