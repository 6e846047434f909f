"""Publishing over RabbitMQ alone: what a message says, and topologies, queues and brokers that go away."""

import asyncio
import os
import signal
import time
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from app.contexts.payments.public import EVENTS
from app.kernel.topology import Queue
from app.main.local.rabbitmq import RabbitMQNode
from app.platform.messaging.ports import BrokerUnavailable, Confirmed, Rejected
from app.platform.rabbitmq.connection import BrokerAway, connect, split
from app.platform.rabbitmq.framing import publish_at_once, publish_each
from app.platform.rabbitmq.publisher import RabbitPublisher
from tests.pace import slow
from tests.platform.outbox_fixtures import (
    Broker,
    broker_as_it_is,
    clean_broker,
    eventually,
    outbox_message,
    queues_outlive_a_kill,
)
from tests.platform.publishing import publisher

__all__ = ["publisher"]

METRICS = EVENTS.queue("metrics.queue")
AUDIT = EVENTS.queue("audit.queue")

NOWHERE = "amqp://guest:guest@127.0.0.1:1/"


async def test_a_message_says_what_it_is(broker: Broker, publisher: RabbitPublisher) -> None:
    sent = outbox_message(2)
    await publisher.publish([sent])
    [message] = await broker.take("audit.queue")
    properties = message.header.properties
    assert message.exchange == "payments.events"
    assert message.routing_key == properties.message_type == "payment.failed"
    assert properties.message_id == str(sent.event_id)
    assert properties.content_type == "application/cloudevents+json"
    assert properties.delivery_mode == 2


@pytest.mark.parametrize("publish", [publish_at_once, publish_each])
async def test_a_message_carries_the_trace_that_it_is_given_and_no_other(
    broker: Broker, rabbitmq_url: str, publish: Any
) -> None:
    traces = [f"00-0af7651916cd43dd8448eb211c80319c-b7ad6b71692{nth:05x}-01" for nth in range(2)]
    publisher = RabbitPublisher(split(rabbitmq_url), EVENTS, publish=publish)
    await publisher.publish([replace(outbox_message(), traceparent=trace) for trace in (traces[0], None, traces[1])])
    await publisher.close()
    taken = await broker.take("audit.queue")
    assert [(message.header.properties.headers or {}).get("traceparent") for message in taken] == [
        traces[0], None, traces[1],
    ]  # fmt: skip
    assert {message.header.properties.content_type for message in taken} == {"application/cloudevents+json"}


async def test_a_body_larger_than_a_frame_arrives_whole(broker: Broker, publisher: RabbitPublisher) -> None:
    sent = [replace(outbox_message(), body=os.urandom(size)) for size in (0, 1, 131_063, 131_064, 131_065, 400_000)]
    assert set(await publisher.publish(sent)) == {Confirmed()}
    assert [message.body for message in await broker.take("audit.queue")] == [message.body for message in sent]


@pytest.mark.parametrize("queue", ["metrics.queue", "audit.queue"])
async def test_nothing_counts_as_published_while_a_queue_is_gone_and_then_it_is_back(
    broker: Broker, publisher: RabbitPublisher, queue: str
) -> None:
    await publisher.publish([outbox_message()])
    await broker.channel.queue_delete(queue)
    with pytest.raises(BrokerUnavailable):
        await publisher.publish([outbox_message()])
    again = outbox_message()
    assert await publisher.publish([again]) == [Confirmed()]
    assert again.body in [message.body for message in await broker.take(queue)]


async def test_a_queue_that_goes_while_a_batch_is_under_way_is_noticed(broker: Broker, rabbitmq_url: str) -> None:
    """The other queue takes the message, so the broker confirms it."""

    async def publish_late(channel, exchange, bindings, messages, *, mandatory):  # type: ignore[no-untyped-def]
        await broker.channel.queue_delete("metrics.queue")
        return await publish_at_once(channel, exchange, (), messages, mandatory=mandatory)

    publisher = RabbitPublisher(split(rabbitmq_url), EVENTS, publish=publish_late)
    with pytest.raises(BrokerUnavailable):
        await publisher.publish([outbox_message()])
    await publisher.close()


async def test_events_of_one_subject_are_bound_for_once_and_a_queue_that_goes_between_them_is_noticed(
    broker: Broker, rabbitmq_url: str
) -> None:
    waves: list[tuple[int, int, bool]] = []
    is_going = False

    async def publish(channel, exchange, bindings, messages, *, mandatory):  # type: ignore[no-untyped-def]
        if is_going and not bindings:
            await broker.channel.queue_delete("metrics.queue")
        waves.append((len(bindings), len(messages), mandatory))
        return await publish_at_once(channel, exchange, bindings, messages, mandatory=mandatory)

    publisher, payment_id = RabbitPublisher(split(rabbitmq_url), EVENTS, publish=publish), uuid4()
    sent = [outbox_message(payment_id=payment_id) for _ in range(3)]
    assert await publisher.publish([*sent, outbox_message()]) == [Confirmed()] * 4
    assert waves == [(len(EVENTS.bindings), 2, True), (0, 1, True), (0, 1, True)]
    is_going = True
    with pytest.raises(BrokerUnavailable):
        await publisher.publish(sent)
    await publisher.close()


async def test_a_missing_exchange_is_declared_again(broker: Broker, publisher: RabbitPublisher) -> None:
    await publisher.publish([outbox_message()])
    await broker.channel.exchange_delete("payments.events")
    with pytest.raises(BrokerUnavailable):
        await publisher.publish([outbox_message()])
    assert await publisher.publish([outbox_message()]) == [Confirmed()]


async def test_a_missing_binding_is_made_again(broker: Broker, publisher: RabbitPublisher) -> None:
    await publisher.publish([outbox_message()])
    await broker.channel.queue_unbind("metrics.queue", "payments.events", "payment.*")
    assert await publisher.publish([outbox_message()]) == [Confirmed()]
    assert await broker.depth("metrics.queue") == 2


async def test_a_queue_with_other_arguments_is_named(broker: Broker, publisher: RabbitPublisher) -> None:
    await broker.channel.queue_delete("audit.queue")
    await broker.channel.queue_declare("audit.queue", durable=True)
    with capture_logs() as logs, pytest.raises(BrokerUnavailable, match=r"audit\.queue"):
        await publisher.publish([outbox_message()])
    assert ("topology_mismatch", "audit.queue") in [(log["event"], log.get("name")) for log in logs]
    await broker.channel.queue_delete("audit.queue")


async def test_a_message_that_makes_the_broker_close_the_channel_is_singled_out(
    broker: Broker, rabbitmq_url: str
) -> None:
    """The broker closes the channel over a message that is too large, and with it ends the whole batch."""
    publisher = RabbitPublisher(split(rabbitmq_url), EVENTS, timeout_s=300)
    huge = replace(outbox_message(), body=bytes(2**27 + 1))
    outcomes = await publisher.publish([outbox_message(), huge])
    await publisher.close()
    assert [type(outcome) for outcome in outcomes] == [Confirmed, Rejected]


async def test_any_of_several_brokers_will_do(broker: Broker, rabbitmq_url: str) -> None:
    for _ in range(5):
        publisher = RabbitPublisher(split(f"{NOWHERE}, {rabbitmq_url} ,{NOWHERE}"), EVENTS)
        assert await publisher.publish([outbox_message()]) == [Confirmed()]
        await publisher.close()


async def test_no_broker_is_unavailable_and_the_message_shows_no_password() -> None:
    with pytest.raises(BrokerUnavailable) as caught:
        await RabbitPublisher([NOWHERE], EVENTS).publish([outbox_message()])
    assert "guest" not in str(caught.value)
    with pytest.raises(BrokerAway):
        await connect([NOWHERE], "tests")


@pytest.mark.parametrize("urls", ["", " , ", "http://user:secret@here/"])
def test_a_wrong_url_is_refused_without_showing_it(urls: str) -> None:
    with pytest.raises(ValueError, match="RABBITMQ_URL") as caught:
        split(urls)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("queue", "key", "takes"),
    [
        (METRICS, "payment.created", True),
        (METRICS, "refund.created", False),
        (AUDIT, "refund.created", True),
        (AUDIT, "payment.created.twice", False),
        (AUDIT, "payments.created", False),
    ],
)
def test_a_queue_knows_what_it_takes(queue: Queue, key: str, takes: bool) -> None:
    assert queue.takes(key) is takes


async def test_a_hanging_broker_hangs_nobody(rabbitmq_node: RabbitMQNode) -> None:
    """It answers nothing any more, but its sockets are open: publishing and closing end within their limits."""
    async with clean_broker(rabbitmq_node.url):
        publisher = RabbitPublisher([rabbitmq_node.url], EVENTS)
        await publisher.publish([outbox_message()])
        publisher._timeout_s = 1.0  # once it is connected, and all is declared
        node = rabbitmq_node.processes[0].pid
        os.kill(node, signal.SIGSTOP)
        try:
            began = time.monotonic()
            with pytest.raises(BrokerUnavailable):
                await publisher.publish([outbox_message()])
            with pytest.raises(BrokerUnavailable):
                await publisher.publish([outbox_message()])
            await publisher.close()
            assert time.monotonic() - began < slow(20)  # not the minutes after which the heartbeat tells
        finally:
            os.kill(node, signal.SIGCONT)


async def test_service_resumes_when_a_killed_broker_is_back(rabbitmq_node: RabbitMQNode) -> None:
    publisher = RabbitPublisher([rabbitmq_node.url], EVENTS)
    async with clean_broker(rabbitmq_node.url):
        first = outbox_message()
        await publisher.publish([first])
    await queues_outlive_a_kill(rabbitmq_node)
    rabbitmq_node.kill()
    with pytest.raises(BrokerUnavailable):
        await publisher.publish([outbox_message()])
    await asyncio.to_thread(rabbitmq_node.start)

    async def published() -> bool:
        try:
            return await publisher.publish([outbox_message()]) == [Confirmed()]
        except BrokerUnavailable:
            return False

    await eventually(published)
    async with broker_as_it_is(rabbitmq_node.url) as broker:
        assert first.body in [message.body for message in await broker.take("audit.queue")]
    await publisher.close()
