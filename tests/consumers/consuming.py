"""What tests of the consumers share: a consumer that runs, what it has audited, and what a queue holds."""

import contextlib
from collections.abc import AsyncIterator

from app.contexts.payments.public import EVENTS
from app.kernel.topology import Queue
from app.platform.messaging.handing_over import Handle
from app.platform.messaging.inbox_database import Database
from app.platform.messaging.worker import Counts
from app.platform.rabbitmq.connection import split
from app.platform.rabbitmq.consumer import Consumer
from consumers.audit import Audit
from consumers.audit_chain import GENESIS, chain_hash
from tests.platform.outbox_fixtures import Broker, query, running

AUDIT = EVENTS.queue("audit.queue")

CHAIN = (
    "SELECT position, event_id, type, subject, sequence, occurred_at, received_at, payload::text, hash, previous_hash"
    " FROM audit.events ORDER BY position"
)


@contextlib.asynccontextmanager
async def audit(broker: Broker, url: str, counts: Counts | None = None) -> AsyncIterator[None]:
    database = Database(url, "audit")
    async with consuming(broker, AUDIT, Audit(database), counts):
        yield
    await database.close()


@contextlib.asynccontextmanager
async def consuming(broker: Broker, queue: Queue, handle: Handle, counts: Counts | None = None) -> AsyncIterator[None]:
    consumer = Consumer(split(broker.url), [EVENTS], queue, handle, counts or Counts(), lambda: None)
    async with running(consumer.run):
        yield


def audited(url: str) -> int:
    return int(query(url, "SELECT count(*) FROM audit.events")[0][0])


def assert_chain(url: str) -> None:
    """Positions have no gaps, each hash is that of its row and the hash before, and the head is the last."""
    previous, position = GENESIS, 0
    for position, row in enumerate(query(url, CHAIN), start=1):
        number, event_id, kind, subject, sequence, occurred_at, received_at, payload, found, before = row
        assert (number, before) == (position, previous)
        previous = chain_hash(
            previous, number, event_id, kind, subject, sequence, occurred_at, received_at, payload.encode()
        )
        assert found == previous
    assert query(url, "SELECT position, hash FROM audit.head") == [(position, previous)]


async def settled(broker: Broker, queue: str) -> bool:
    return await broker.depth(queue) == 0


async def holds(broker: Broker, queue: str, count: int) -> bool:
    return await broker.depth(queue) == count
