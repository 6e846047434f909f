"""Queues that listen to an exchange without being of its contract: they miss nothing, and nobody waits for them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.contexts.payments.public import EVENTS
from app.kernel.topology import Exchange, Queue, listening, queues_of
from app.platform.messaging.ports import BrokerUnavailable, Confirmed, OutboxMessage
from app.platform.rabbitmq import topology
from app.platform.rabbitmq.connection import split
from app.platform.rabbitmq.publisher import RabbitPublisher
from tests.platform.outbox_fixtures import Broker, clean_broker, eventually, outbox_message

POINTS = Queue("points.queue", "points.dlq", ("payment.created",), yields=True)
CREATED, FAILED = 1, 2


@pytest.fixture
async def broker(rabbitmq_url: str) -> AsyncIterator[Broker]:
    async with clean_broker(rabbitmq_url) as broker:
        yield broker
        for name in (POINTS.name, POINTS.dead_letters):
            await broker.channel.queue_delete(name)


@pytest.fixture
async def publisher(broker: Broker, rabbitmq_url: str) -> AsyncIterator[RabbitPublisher]:
    publisher = RabbitPublisher(split(rabbitmq_url), EVENTS, listening=[POINTS], timeout_s=60.0)
    yield publisher
    await publisher.close()


async def test_what_listens_gets_its_events_before_its_consumer_was_ever_there(
    broker: Broker, publisher: RabbitPublisher
) -> None:
    sent = [outbox_message(sequence) for sequence in (CREATED, FAILED)]
    assert await publisher.publish(sent) == [Confirmed()] * 2
    assert [message.body for message in await broker.take(POINTS.name)] == [sent[0].body]
    assert len(await broker.take("audit.queue")) == 2


async def test_one_that_is_gone_is_not_waited_for(broker: Broker, publisher: RabbitPublisher) -> None:
    await publisher.publish([outbox_message()])
    await broker.channel.queue_delete(POINTS.name)
    assert await publisher.publish([outbox_message()]) == [Confirmed()]
    assert await broker.depth(POINTS.name) == -1


async def test_one_that_is_not_what_it_should_be_is_told_of_and_not_waited_for(
    broker: Broker, publisher: RabbitPublisher
) -> None:
    await broker.channel.queue_declare(POINTS.name, durable=True)
    with capture_logs() as logs:
        assert await publisher.publish([outbox_message()]) == [Confirmed()]
    told = [log["queue"] for log in logs if log["event"] == "queue_does_not_listen"]
    assert told == [POINTS.name]
    assert len(await broker.take("audit.queue")) == 1


async def full(broker: Broker, queue: Queue) -> None:
    """Have the queue there, as it is declared, but with room for one message: as by an operator's policy."""
    arguments: dict[str, Any] = {**topology._arguments(queue), "x-max-length": 1}
    await broker.channel.queue_declare(queue.dead_letters, durable=True, arguments={"x-queue-type": "quorum"})
    await broker.channel.queue_declare(queue.name, durable=True, arguments=arguments)
    await broker.channel.queue_bind(queue.name, EVENTS.name, "payment.created")


async def test_one_that_is_full_gives_its_oldest_to_its_dead_letters(
    broker: Broker, publisher: RabbitPublisher
) -> None:
    await full(broker, POINTS)
    sent = [outbox_message() for _ in range(5)]
    for message in sent:
        assert await publisher.publish([message]) == [Confirmed()]
    await eventually(lambda: _is(broker, POINTS.dead_letters, 4))
    dead = [message.body for message in await broker.take(POINTS.dead_letters)]
    assert [*dead, *(message.body for message in await broker.take(POINTS.name))] == [one.body for one in sent]
    assert len(await broker.take("audit.queue")) == 5


async def test_one_that_would_refuse_would_hold_up_the_events_of_all(
    broker: Broker, publisher: RabbitPublisher
) -> None:
    """Why those that listen have to yield."""
    await full(broker, replace(POINTS, yields=False))
    sent = [outbox_message() for _ in range(500)]  # it refuses from a batch or two on, sooner or later
    with pytest.raises(BrokerUnavailable, match="refused"):
        await _publish_each(publisher, sent)


async def _publish_each(publisher: RabbitPublisher, messages: Sequence[OutboxMessage]) -> None:
    for message in messages:
        await publisher.publish([message])


async def _is(broker: Broker, queue: str, depth: int) -> bool:
    return await broker.depth(queue) == depth


def test_the_same_queue_heard_by_two_exchanges_has_to_be_one() -> None:
    market = Exchange("market.events", (replace(POINTS, bindings=("order.*",)),))
    heard = [Exchange(EVENTS.name, (POINTS,)), market]
    assert listening(heard, EVENTS.name) == (POINTS,)
    assert [queue.bindings for queue in queues_of(heard)] == [("payment.created", "order.*")]
    with pytest.raises(ValueError, match=r"points\.queue"):
        queues_of([*heard, Exchange("mint.events", (replace(POINTS, yields=False),))])
