"""Letters that the broker itself has put among the dead ones: from RabbitMQ 4.3 on they bring their delivery count
along, and what is given back beyond a queue's limit is dropped."""

import asyncio
from uuid import uuid4

import pytest
from aiormq import spec
from aiormq.abc import DeliveredMessage

from app.contexts.payments.public import EVENTS
from app.platform.rabbitmq import taking, topology
from app.platform.rabbitmq.connection import split
from app.platform.rabbitmq.dead_letters import RabbitDeadLetters
from tests.platform.burying import bury, is_deep, taken
from tests.platform.outbox_fixtures import Broker, eventually

ATTEMPTS = topology.DELIVERY_LIMIT + 1


async def given_up_by_the_broker(broker: Broker, count: int, already: int = 0) -> list[str]:
    """Messages that were never settled, until the broker put them beside those that are among the dead already."""
    ids = [str(uuid4()) for _ in range(count)]
    for one in ids:
        properties = spec.Basic.Properties(message_id=one, delivery_mode=2)
        await broker.channel.basic_publish(b"{}", routing_key="audit.queue", properties=properties)
    for _ in range(ATTEMPTS):
        await take_and_die(broker, count)
    await eventually(lambda: is_deep(broker, "audit.dlq", already + count))
    return ids


async def take_and_die(broker: Broker, count: int) -> None:
    arrived: list[DeliveredMessage] = []
    everything = asyncio.Event()

    async def arrive(message: DeliveredMessage) -> None:
        arrived.append(message)
        if len(arrived) == count:
            everything.set()

    channel = await broker.connection.open_channel()
    await channel.basic_consume("audit.queue", arrive)
    async with asyncio.timeout(60):
        await everything.wait()
        await channel.close()


@pytest.mark.parametrize("window", [10_000, taking.BATCH])
async def test_looking_deletes_none_of_them_and_changes_no_order(broker: Broker, window: int) -> None:
    """With the small window some are behind what can be seen."""
    ids = await bury(broker, taking.BATCH - 4)
    ids += await given_up_by_the_broker(broker, 5, len(ids))
    ids += await bury_more(broker, 4, len(ids))
    letters = RabbitDeadLetters(split(broker.url), [EVENTS], window)
    for _ in range(25):
        seen = await letters.look("audit.queue")
        assert [letter.id for letter in seen] == ids[:window]
        await eventually(lambda: is_deep(broker, "audit.dlq", len(ids)))
    assert [letter.attempts for letter in seen[: taking.BATCH]] == [4] * (taking.BATCH - 4) + [ATTEMPTS] * 4
    assert seen[taking.BATCH - 1].reason == "by the broker: delivery_limit"
    assert await taken(broker, "audit.dlq") == ids


async def bury_more(broker: Broker, count: int, already: int) -> list[str]:
    ids = [str(uuid4()) for _ in range(count)]
    for one in ids:
        await broker.channel.basic_publish(
            b"{}", routing_key="audit.dlq", properties=spec.Basic.Properties(message_id=one)
        )
    await eventually(lambda: is_deep(broker, "audit.dlq", already + count))
    return ids


async def test_those_that_are_not_chosen_survive_a_redrive_and_a_drop(broker: Broker) -> None:
    ids = await given_up_by_the_broker(broker, 6)
    letters = RabbitDeadLetters(split(broker.url), [EVENTS])
    assert await letters.redrive("audit.queue", [ids[1]]) == [ids[1]]
    assert await letters.drop("audit.queue", [ids[4]]) == [ids[4]]
    await eventually(lambda: is_deep(broker, "audit.dlq", 4))
    assert await taken(broker, "audit.dlq") == [ids[0], ids[2], ids[3], ids[5]]
    assert await taken(broker, "audit.queue") == [ids[1]]


async def test_a_redrive_of_all_that_is_stopped_deletes_none_of_those_that_it_has_in_hand(broker: Broker) -> None:
    ids = await given_up_by_the_broker(broker, 6)
    stop = asyncio.Event()
    stop.set()
    assert (
        await RabbitDeadLetters(split(broker.url), [EVENTS]).redrive_all("audit.queue", lambda _, __: None, stop) == 0
    )
    await eventually(lambda: is_deep(broker, "audit.dlq", 6))
    assert await taken(broker, "audit.dlq") == ids
