"""Both ways to take a queue's messages: out of the connection's bytes, and with aiormq's public calls alone."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from aiormq import spec

from app.contexts.payments.public import EVENTS
from app.platform.messaging import received_events
from app.platform.messaging.worker import Counts, Delivery
from app.platform.rabbitmq.connection import split
from app.platform.rabbitmq.consumer import Consume, Consumer
from app.platform.rabbitmq.deliveries import MAX_MESSAGE_BYTES, consume_at_once, consume_each
from tests.platform.outbox_fixtures import Broker, document, eventually, running

AUDIT = EVENTS.queue("audit.queue")
TRACE = f"00-{'a' * 32}-{'b' * 16}-01"

both_ways = pytest.mark.parametrize("consume", [consume_at_once, consume_each])


async def send(broker: Broker, body: bytes) -> None:
    properties = spec.Basic.Properties(message_id=str(uuid4()), delivery_mode=2, headers={"traceparent": TRACE})
    await broker.channel.basic_publish(
        body, exchange=EVENTS.name, routing_key="payment.created", properties=properties, mandatory=True
    )


@both_ways
async def test_every_message_comes_once_whole_and_in_order_and_is_acknowledged(
    broker: Broker, consume: Consume
) -> None:
    bodies = [document(UUID(int=n), filler="x" * (n * 400)) for n in range(1, 300)]
    for body in bodies:
        await send(broker, body)
    got: list[bytes] = []
    traces: list[str | None] = []

    async def handle(documents: Sequence[bytes]) -> None:
        got.extend(documents)

    def observe(deliveries: Sequence[Delivery], began_ns: int, error: str | None) -> None:
        traces.extend(delivery.message.traceparent for delivery in deliveries)

    counts = Counts()
    consumer = Consumer(split(broker.url), [EVENTS], AUDIT, handle, counts, lambda: None, observe, consume=consume)
    async with running(consumer.run):
        await eventually(lambda: counts.handled == len(bodies))
    assert got == bodies
    assert traces == [TRACE] * len(bodies)
    assert await broker.depth(AUDIT.name) == 0


@both_ways
async def test_what_is_malformed_or_too_large_is_dead_lettered_and_the_rest_flows_on(
    broker: Broker, consume: Consume
) -> None:
    async def handle(documents: Sequence[bytes]) -> None:
        for each in documents:
            received_events.event(each)

    await send(broker, b"{")
    await send(broker, b" " * MAX_MESSAGE_BYTES)
    await send(broker, document(uuid4()))
    counts = Counts()
    consumer = Consumer(split(broker.url), [EVENTS], AUDIT, handle, counts, lambda: None, consume=consume)
    async with running(consumer.run):
        await eventually(lambda: (counts.handled, counts.dead_letters) == (1, 2))
    deaths = [message.header.properties.headers or {} for message in await broker.take(AUDIT.dead_letters)]
    assert sorted("x-death-reason" in headers for headers in deaths) == [False, True]
    assert next(h["x-death-exchange"] for h in deaths if "x-death-exchange" in h) == EVENTS.name
