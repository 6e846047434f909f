"""The broker inside a process: what its consumers' failures mean. The rest is in the publishers' common suite."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from app.platform.messaging.faults import is_the_messages
from app.platform.messaging.in_process_broker import MAX_ATTEMPTS, InProcessBroker, Subscription
from app.platform.messaging.ports import BrokerUnavailable, Confirmed, Rejected
from app.platform.messaging.received_events import Malformed
from tests.platform.outbox_fixtures import outbox_message


class Consumer:
    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.bad: bytes | None = None
        self.error: Exception = Malformed("not to be shown")
        self.away = False

    async def __call__(self, documents: Sequence[bytes]) -> None:
        if self.away:
            raise ConnectionError("the database is away")
        if self.bad in documents:
            raise self.error
        self.got += documents


def broker(*consumers: Consumer) -> InProcessBroker:
    return InProcessBroker(
        [Subscription(f"queue {n}", lambda _: True, consumer, is_the_messages) for n, consumer in enumerate(consumers)]
    )


async def test_a_message_that_one_consumer_fails_on_is_not_confirmed_and_the_others_are() -> None:
    well, failing = Consumer(), Consumer()
    messages = [outbox_message() for _ in range(9)]
    failing.bad = messages[4].body
    outcomes = await broker(well, failing).publish(messages)
    assert outcomes[4] == Rejected("queue 1: Malformed")
    assert [outcome for outcome in outcomes if outcome != outcomes[4]] == [Confirmed()] * 8
    assert failing.got == [message.body for message in messages if message != messages[4]]


async def test_after_its_attempts_a_message_is_dead_and_its_payment_goes_on() -> None:
    consumer = Consumer()
    message = outbox_message()
    consumer.bad = message.body
    inprocess = broker(consumer)
    for attempts in range(MAX_ATTEMPTS - 1):
        assert isinstance((await inprocess.publish([replace(message, attempts=attempts)]))[0], Rejected)
    assert await inprocess.publish([replace(message, attempts=MAX_ATTEMPTS - 1)]) == [Confirmed()]
    [dead] = inprocess.dead_letters
    assert (dead.queue, dead.message.event_id, dead.reason) == ("queue 0", message.event_id, "Malformed")


async def test_a_message_that_is_not_to_blame_is_never_dead() -> None:
    consumer = Consumer()
    message = outbox_message(attempts=99)
    consumer.bad, consumer.error = message.body, UnicodeEncodeError("latin-1", "€", 0, 1, "not to be shown")
    inprocess = broker(consumer)
    assert await inprocess.publish([message]) == [Rejected("queue 0: UnicodeEncodeError")]
    assert not inprocess.dead_letters


async def test_a_consumer_that_cannot_work_is_an_outage_and_nobodys_fault() -> None:
    consumer = Consumer()
    consumer.away = True
    inprocess = broker(Consumer(), consumer)
    with pytest.raises(BrokerUnavailable, match="the database is away"):
        await inprocess.publish([replace(outbox_message(), attempts=99)])
    assert not inprocess.dead_letters


async def test_a_consumer_that_hangs_hangs_nobody() -> None:
    async def hang(_: Sequence[bytes]) -> None:
        await asyncio.Event().wait()

    inprocess = InProcessBroker([Subscription("queue", lambda _: True, hang, is_the_messages)], timeout_s=0.05)
    with pytest.raises(BrokerUnavailable):
        await inprocess.publish([outbox_message()])
