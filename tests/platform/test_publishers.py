"""Publishing: one suite over RabbitMQ, with one write a batch and without, and over the in-process broker."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest

from app.contexts.payments.public import EVENTS
from app.kernel.topology import Queue
from app.platform.messaging.faults import is_the_messages
from app.platform.messaging.in_process_broker import InProcessBroker, Subscription
from app.platform.messaging.ports import Confirmed, Publisher, Rejected, Unsent
from app.platform.rabbitmq.connection import split
from app.platform.rabbitmq.framing import publish_at_once, publish_each
from app.platform.rabbitmq.publisher import RabbitPublisher
from tests.platform.outbox_fixtures import (
    clean_broker,
    outbox_message,
)
from tests.platform.publishing import publisher

__all__ = ["publisher"]


@dataclass
class Subject:
    publisher: Publisher
    bodies: Callable[[str], Awaitable[list[bytes]]]


@pytest.fixture(params=["rabbitmq, one write", "rabbitmq, one by one", "in-process"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "in-process":
        got: dict[str, list[bytes]] = {queue.name: [] for queue in EVENTS.queues}

        def consumer(queue: Queue) -> Callable[[Sequence[bytes]], Awaitable[None]]:
            async def take(documents: Sequence[bytes]) -> None:
                got[queue.name] += documents

            return take

        async def bodies(queue: str) -> list[bytes]:
            return got[queue]

        yield Subject(
            InProcessBroker(
                [Subscription(queue.name, queue.takes, consumer(queue), is_the_messages) for queue in EVENTS.queues]
            ),
            bodies,
        )
        return
    url = request.getfixturevalue("rabbitmq_url")
    how = publish_at_once if request.param.endswith("one write") else publish_each
    # How much is confirmed how fast is not the question here, and the machine may be busy.
    publisher = RabbitPublisher(split(url), EVENTS, timeout_s=60.0, publish=how)
    async with clean_broker(url) as broker:

        async def taken(queue: str) -> list[bytes]:
            return [message.body for message in await broker.take(queue)]

        yield Subject(publisher, taken)
    await publisher.close()


async def test_each_contract_queue_gets_what_it_is_bound_for(subject: Subject) -> None:
    sent = [outbox_message(sequence) for sequence in (1, 2, 3)]
    assert await subject.publisher.publish(sent) == [Confirmed()] * 3
    assert sorted(await subject.bodies("audit.queue")) == sorted(message.body for message in sent)
    assert sorted(await subject.bodies("metrics.queue")) == sorted(message.body for message in sent[:2])


async def test_a_large_batch_arrives_whole_and_in_order(subject: Subject) -> None:
    sent = [outbox_message() for _ in range(1500)]
    assert set(await subject.publisher.publish(sent)) == {Confirmed()}
    assert await subject.bodies("audit.queue") == [message.body for message in sent]


async def test_a_message_that_no_queue_is_bound_for_is_rejected_and_the_others_are_not(subject: Subject) -> None:
    lost = replace(outbox_message(), type="wallet.opened")
    outcomes = await subject.publisher.publish([outbox_message(), lost, outbox_message()])
    assert outcomes == [Confirmed(), Rejected("no queue is bound for 'wallet.opened'"), Confirmed()]
    assert len(await subject.bodies("audit.queue")) == 2


async def test_of_one_subject_each_comes_behind_the_last_and_behind_a_rejected_one_none(subject: Subject) -> None:
    first, second, other = uuid4(), uuid4(), uuid4()
    sent = [replace(outbox_message(), subject=one) for one in (first, second, first, second, first, other)]
    sent[3] = replace(sent[3], type="wallet.opened")
    sent.append(replace(outbox_message(), subject=second))
    outcomes = await subject.publisher.publish(sent)
    rejected = Rejected("no queue is bound for 'wallet.opened'")
    assert outcomes == [*[Confirmed()] * 3, rejected, *[Confirmed()] * 2, Unsent()]
    got = await subject.bodies("audit.queue")
    assert [body for body in got if body in {sent[n].body for n in (0, 2, 4)}] == [sent[n].body for n in (0, 2, 4)]
    assert sorted(got) == sorted(sent[n].body for n in (0, 1, 2, 4, 5))


async def test_publishing_again_and_at_the_same_time_works(subject: Subject) -> None:
    batches = [[outbox_message() for _ in range(20)] for _ in range(6)]
    for outcomes in await asyncio.gather(*map(subject.publisher.publish, batches)):
        assert set(outcomes) == {Confirmed()}
    assert len(await subject.bodies("metrics.queue")) == 120
