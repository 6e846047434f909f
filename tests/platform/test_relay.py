"""The relay between a real PostgreSQL and a real RabbitMQ."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from uuid import UUID, uuid4

import pytest
from prometheus_client import CollectorRegistry

from app.contexts.payments.public import EVENTS
from app.main.local.rabbitmq import RabbitMQNode
from app.main.local.roles import Urls
from app.platform.messaging import leases as leasing
from app.platform.messaging.faults import is_the_messages
from app.platform.messaging.in_process_broker import InProcessBroker, Subscription
from app.platform.messaging.ports import Confirmed, OutboxMessage, Rejected
from app.platform.messaging.relay import Relay
from app.platform.metrics.gauges import watching
from app.platform.metrics.relay import QueueMetrics
from app.platform.postgres.outbox import PostgresOutbox
from app.platform.postgres.pool import Pool
from app.platform.rabbitmq.connection import split
from app.platform.rabbitmq.publisher import RabbitPublisher
from tests.platform.outbox_fixtures import (
    Broker,
    clean_broker,
    eventually,
    insert_events,
    outbox_pool,
    query,
    queues_outlive_a_kill,
    running,
    unsent,
)
from tests.platform.relaying import Often

AUDIT = EVENTS.queue("audit.queue")


@pytest.fixture
async def pool(database: Urls) -> AsyncIterator[Pool]:
    async with outbox_pool(database.app_url) as pool:
        yield pool


@pytest.fixture
async def publisher(rabbitmq_url: str) -> AsyncIterator[RabbitPublisher]:
    publisher = RabbitPublisher(split(rabbitmq_url), EVENTS)
    yield publisher
    await publisher.close()


def first_publications(messages: Sequence[bytes]) -> dict[UUID, list[int]]:
    """The sequences of each payment, in the order in which each was first seen."""
    import msgspec

    seen: dict[UUID, list[int]] = defaultdict(list)
    for body in messages:
        event = msgspec.json.decode(body)
        if event["sequence"] not in seen[UUID(event["subject"])]:
            seen[UUID(event["subject"])].append(event["sequence"])
    return seen


async def test_two_relays_share_the_work_and_keep_each_payments_order(
    database: Urls, broker: Broker, pool: Pool, rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events come while partitions change hands."""
    monkeypatch.setattr(leasing, "LEASE_RENEW_S", 0.1)
    monkeypatch.setattr(leasing, "LEASE_TTL_S", 6.0)
    payments = [uuid4() for _ in range(300)]
    publishers = [RabbitPublisher(split(rabbitmq_url), EVENTS) for _ in range(2)]
    first, second = (
        Relay(PostgresOutbox(pool, "payments"), p, n, Often()) for n, p in zip("ab", publishers, strict=True)
    )
    async with running(first.run):
        for sequence in (1, 2, 3):
            await asyncio.to_thread(insert_events, database.app_url, payments, (sequence,))
            if sequence == 1:
                second_stop = asyncio.Event()
                second_run = asyncio.create_task(second.run(second_stop))
        await eventually(lambda: len(first._leases.epochs) == len(second._leases.epochs) == 8)
        more = [uuid4() for _ in range(100)]
        await asyncio.to_thread(insert_events, database.app_url, more, (1, 2, 3))
        await eventually(lambda: unsent(database.app_url) == 0)
        second_stop.set()
        await second_run
        await asyncio.to_thread(insert_events, database.app_url, [uuid4()], (1,))
        await eventually(lambda: unsent(database.app_url) == 0)
    for used in publishers:
        await used.close()
    seen = first_publications([message.body for message in await broker.take("audit.queue")])
    assert all(seen[payment] == [1, 2, 3] for payment in payments + more)


async def test_what_was_published_but_not_marked_is_published_again(
    database: Urls, broker: Broker, pool: Pool, publisher: RabbitPublisher
) -> None:
    """As kill -9 between the confirm and the mark leaves it."""
    [event_id] = insert_events(database.app_url, [uuid4()], (1,))
    [claimed] = await PostgresOutbox(pool, "payments").claim(range(16), 10)
    await publisher.publish([claimed])
    async with running(Relay(PostgresOutbox(pool, "payments"), publisher, "next", Often()).run):
        await eventually(lambda: unsent(database.app_url) == 0)
    ids = [message.header.properties.message_id for message in await broker.take("audit.queue")]
    assert ids == [str(event_id)] * 2


async def test_a_killed_relays_partitions_are_served_again(
    database: Urls, broker: Broker, pool: Pool, publisher: RabbitPublisher
) -> None:
    await PostgresOutbox(pool, "payments").lease("killed", (), 1.0)
    insert_events(database.app_url, [uuid4() for _ in range(16)], (1,))
    async with running(Relay(PostgresOutbox(pool, "payments"), publisher, "next", Often()).run):
        await eventually(lambda: unsent(database.app_url) == 0)


async def test_a_zombies_marks_count_for_nothing(database: Urls, broker: Broker, pool: Pool) -> None:
    """A relay that was stopped while it published wakes up after another one took its partitions over."""
    published, go_on = asyncio.Event(), asyncio.Event()

    class Stopped:
        async def publish(self, messages: Sequence[OutboxMessage]) -> Sequence[Confirmed | Rejected]:
            published.set()
            await go_on.wait()
            return [Confirmed()] * len(messages)

    insert_events(database.app_url, [uuid4()], (1,))
    async with running(Relay(PostgresOutbox(pool, "payments"), Stopped(), "zombie", Often()).run) as stop:
        await published.wait()
        query(database.owner_url, "UPDATE payments.outbox_leases SET owner = 'new', epoch = epoch + 1")
        go_on.set()
        stop.set()
    assert unsent(database.app_url) == 1
    assert query(database.app_url, "SELECT DISTINCT owner FROM payments.outbox_leases") == [("new",)]


async def test_a_deleted_queue_is_declared_again_before_anything_is_marked(
    database: Urls, broker: Broker, pool: Pool, publisher: RabbitPublisher
) -> None:
    async with running(Relay(PostgresOutbox(pool, "payments"), publisher, "me", Often()).run):
        insert_events(database.app_url, [uuid4()], (1,))
        await eventually(lambda: unsent(database.app_url) == 0)
        await broker.channel.queue_delete("metrics.queue")
        events = insert_events(database.app_url, [uuid4() for _ in range(20)], (1,))
        await eventually(lambda: unsent(database.app_url) == 0)
    ids = {message.header.properties.message_id for message in await broker.take("metrics.queue")}
    assert ids == {str(event) for event in events}
    assert query(database.app_url, "SELECT DISTINCT attempts FROM payments.outbox_events") == [(0,)]


async def test_an_event_that_is_rejected_holds_back_only_its_payment(
    database: Urls, broker: Broker, pool: Pool, publisher: RabbitPublisher
) -> None:
    bad, *good = payments = [uuid4() for _ in range(20)]
    insert_events(database.app_url, payments)
    spoil = "UPDATE payments.outbox_events SET type = 'no.such' WHERE subject = %s AND sequence = 1"
    query(database.owner_url, spoil, bad)
    async with running(Relay(PostgresOutbox(pool, "payments"), publisher, "me", Often()).run):
        await eventually(lambda: unsent(database.app_url) == 2)
        tried = "SELECT last_error FROM payments.outbox_events WHERE type = 'no.such' AND attempts > 0"
        await eventually(lambda: query(database.app_url, tried) != [])  # its batch may be marked behind the others
        assert query(database.app_url, tried) == [("no queue is bound for 'no.such'",)]
        query(database.owner_url, "UPDATE payments.outbox_events SET type = 'payment.created' WHERE type = 'no.such'")
        await eventually(lambda: unsent(database.app_url) == 0)
    seen = first_publications([message.body for message in await broker.take("audit.queue")])
    assert all(seen[payment] == [1, 2] for payment in (bad, *good))


async def test_a_broker_that_is_down_burns_no_attempts_and_service_resumes(
    database: Urls, pool: Pool, rabbitmq_node: RabbitMQNode
) -> None:
    publisher = RabbitPublisher([rabbitmq_node.url], EVENTS)
    async with clean_broker(rabbitmq_node.url):
        pass
    await queues_outlive_a_kill(rabbitmq_node)
    async with running(Relay(PostgresOutbox(pool, "payments"), publisher, "me", Often()).run):
        rabbitmq_node.kill()
        insert_events(database.app_url, [uuid4() for _ in range(50)])
        await asyncio.to_thread(rabbitmq_node.start)
        await eventually(lambda: unsent(database.app_url) == 0)
    assert query(database.app_url, "SELECT DISTINCT attempts FROM payments.outbox_events") == [(0,)]
    await publisher.close()


async def test_without_a_broker_the_relay_delivers_by_itself(database: Urls, pool: Pool) -> None:
    """A crash between effect and mark is the same as a crash between confirm and mark."""
    got: list[bytes] = []

    async def take(documents: Sequence[bytes]) -> None:
        got.extend(documents)

    inprocess = InProcessBroker([Subscription("audit.queue", AUDIT.takes, take, is_the_messages)])
    payments = [uuid4() for _ in range(30)]
    insert_events(database.app_url, payments, (1, 2, 3))
    async with running(Relay(PostgresOutbox(pool, "payments"), inprocess, "me", Often()).run):
        await eventually(lambda: unsent(database.app_url) == 0)
    assert all(first_publications(got)[payment] == [1, 2, 3] for payment in payments)


async def test_the_look_into_the_queues_ends_whenever_it_is_told_to(broker: Broker) -> None:
    """Also in the midst of a call to the broker, whose client takes a cancellation there for something else."""
    before = asyncio.all_tasks()
    for nth in range(20):
        registry = CollectorRegistry()
        async with watching(QueueMetrics(split(broker.url), EVENTS.queues, registry).watch):
            await asyncio.sleep(nth * 0.005)
    await eventually(lambda: asyncio.all_tasks() <= before)
    assert registry.get_sample_value("strongbox_queue_messages", {"queue": "audit.dlq"}) in (None, 0)
