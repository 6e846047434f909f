"""The relay's rules, over an outbox and a broker in memory."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from app.platform.messaging import relay as relaying
from app.platform.messaging import waves as publishing_in_waves
from app.platform.messaging.ports import BrokerUnavailable, Confirmed, OutboxMessage, Rejected
from app.platform.messaging.relay import Relay
from app.platform.messaging.waves import waves
from tests.fakes.outbox import FakeOutbox, FakePublisher
from tests.platform.relaying import Often, message, relay_once, run_until, until


def test_a_wave_holds_at_most_one_event_of_a_payment_and_waves_keep_their_order() -> None:
    one, two, three = uuid4(), uuid4(), uuid4()
    claimed = [message(payment) for payment in (one, two, one, three, one, two)]
    assert waves(claimed) == [[claimed[0], claimed[1], claimed[3]], [claimed[2], claimed[5]], [claimed[4]]]


async def test_everything_is_published_in_each_payments_order_and_marked(
    outbox: FakeOutbox, publisher: FakePublisher
) -> None:
    payments = [uuid4() for _ in range(40)]
    outbox.insert(*(message(payment, n % 16) for _ in range(3) for n, payment in enumerate(payments)))
    await run_until(Relay(outbox, publisher, "me", Often()), lambda: len(outbox.sent()) == 120)
    for payment in payments:
        ids = [published.id for published in publisher.published if published.subject == payment]
        assert ids == sorted(ids)
        assert len(ids) == 3


async def test_a_rejected_event_holds_back_only_the_later_events_of_its_payment(
    outbox: FakeOutbox, publisher: FakePublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "REJECTED_BACKOFF_S", (300.0, 300.0))
    bad, good = uuid4(), uuid4()
    outbox.insert(message(bad), message(bad), message(good), message(good))
    publisher.answer = lambda sent: Rejected("too strange") if sent.subject == bad else Confirmed()
    await run_until(Relay(outbox, publisher, "me", Often()), lambda: len(outbox.sent()) == 2)
    first, second = (row for row in outbox.rows if row.message.subject == bad)
    assert (first.message.attempts, first.error) == (1, "too strange")
    assert (second.message.attempts, second.sent) == (0, False)


async def test_a_rejected_event_comes_again_and_its_payment_goes_on(
    outbox: FakeOutbox, publisher: FakePublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "REJECTED_BACKOFF_S", (0.01, 0.02))
    payment = uuid4()
    outbox.insert(message(payment), message(payment))
    refusals = iter([True, True])
    publisher.answer = lambda _: Rejected("not now") if next(refusals, False) else Confirmed()
    await run_until(Relay(outbox, publisher, "me", Often()), lambda: len(outbox.sent()) == 2)
    assert [sent.id for sent in publisher.published] == [0, 1]
    assert outbox.rows[0].message.attempts == 2


async def test_the_back_off_of_a_rejected_event_doubles_up_to_a_limit(publisher: FakePublisher) -> None:
    relay = Relay(FakeOutbox(), publisher, "me", Often(), random_share=lambda: 1.0)
    tried = [replace(message(uuid4()), attempts=attempts) for attempts in (0, 1, 2, 50)]
    assert [relay._retry(one, Rejected("")).in_s for one in tried] == [1, 2, 4, 300]


async def test_a_broker_that_is_down_burns_no_attempts(outbox: FakeOutbox, publisher: FakePublisher) -> None:
    outbox.insert(*(message(uuid4(), n) for n in range(16)))
    failures = iter(range(6))

    def answer(_: OutboxMessage) -> Confirmed:
        if next(failures, None) is not None:
            raise BrokerUnavailable("down")
        return Confirmed()

    publisher.answer = answer
    await run_until(Relay(outbox, publisher, "me", Often(), random_share=lambda: 0.0), lambda: len(outbox.sent()) == 16)
    assert {row.message.attempts for row in outbox.rows} == {0}


async def test_a_broker_too_slow_for_large_batches_gets_smaller_ones(
    outbox: FakeOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "OUTAGE_BACKOFF_S", (0.001, 0.002))

    class Slow(FakePublisher):
        async def publish(self, messages):  # type: ignore[no-untyped-def]
            if len(messages) > 60:
                raise BrokerUnavailable("took too long")
            return await super().publish(messages)

    outbox.insert(*(message(uuid4()) for _ in range(300)))
    await run_until(Relay(outbox, Slow(), "me", Often()), lambda: len(outbox.sent()) == 300)


async def test_a_broker_that_confirms_only_so_many_in_time_is_given_little_more(
    outbox: FakeOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "OUTAGE_BACKOFF_S", (0.001, 0.002))
    monkeypatch.setattr(relaying, "CLAIMED", 400)
    given = 0

    class Slow(FakePublisher):
        under_way = 0

        async def publish(self, messages):  # type: ignore[no-untyped-def]
            nonlocal given
            given += len(messages)
            self.under_way += len(messages)
            await asyncio.sleep(0.01)
            is_too_much = self.under_way > 1000
            await asyncio.sleep(0)
            self.under_way -= len(messages)
            if is_too_much:
                raise BrokerUnavailable("took too long")
            return await super().publish(messages)

    outbox.insert(*(message(uuid4(), n % 16) for n in range(12_000)))
    await run_until(Relay(outbox, Slow(), "me", Often()), lambda: len(outbox.sent()) == 12_000)
    assert given < 2 * 12_000


async def test_of_what_the_broker_went_away_from_nothing_is_marked_and_all_comes_again_in_its_order(
    outbox: FakeOutbox, publisher: FakePublisher
) -> None:
    payment = uuid4()
    outbox.insert(message(payment), message(payment))
    failures = iter([True])

    def answer(sent: OutboxMessage) -> Confirmed:
        if sent.id == 1 and next(failures, False):
            assert not outbox.sent()
            raise BrokerUnavailable("gone")
        return Confirmed()

    publisher.answer = answer
    await run_until(Relay(outbox, publisher, "me", Often(), random_share=lambda: 0.0), lambda: len(outbox.sent()) == 2)
    assert [sent.id for sent in publisher.published] == [0, 0, 1]


async def test_a_payment_of_which_many_events_wait_takes_several_batches_each_of_which_is_marked(
    outbox: FakeOutbox, publisher: FakePublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing_in_waves, "ENOUGH_S", 0.0)
    payment, relay = uuid4(), Relay(outbox, publisher, "me", Often())
    await relay._leases.renew()
    outbox.insert(*(message(payment) for _ in range(3)))
    for nth in (1, 2, 3):
        await relay_once(relay)
        assert len(outbox.sent()) == nth
    assert [sent.id for sent in publisher.published] == [0, 1, 2]


async def test_a_mark_waits_for_a_database_that_is_away_for_a_moment(
    outbox: FakeOutbox, publisher: FakePublisher
) -> None:
    relay = Relay(outbox, publisher, "me", Often(), random_share=lambda: 0.0)
    await relay._leases.renew()
    outbox.insert(message(uuid4()))

    def answer(_: OutboxMessage) -> Confirmed:
        outbox.away = 2
        return Confirmed()

    publisher.answer = answer
    await relay_once(relay)
    assert (len(publisher.published), len(outbox.sent())) == (1, 1)


async def test_batches_under_way_are_of_different_partitions(
    outbox: FakeOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "CLAIMED", 2)
    under_way: list[set[int]] = []
    most = 0

    class Slow(FakePublisher):
        async def publish(self, messages):  # type: ignore[no-untyped-def]
            nonlocal most
            mine = {message.partition for message in messages}
            assert all(mine.isdisjoint(others) for others in under_way)
            under_way.append(mine)
            most = max(most, len(under_way))
            await asyncio.sleep(0.01)
            under_way.remove(mine)
            return await super().publish(messages)

    outbox.insert(*(message(uuid4(), n % 8) for n in range(48)))
    await run_until(Relay(outbox, Slow(), "me", Often()), lambda: len(outbox.sent()) == 48)
    assert most == relaying.BATCHES


async def test_an_outage_that_ends_several_batches_is_one_failure(
    outbox: FakeOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "CLAIMED", 40)

    class Breaking(FakePublisher):
        under_way = 0

        async def publish(self, messages):  # type: ignore[no-untyped-def]
            self.under_way += 1
            await until(lambda: self.under_way == relaying.BATCHES)
            raise BrokerUnavailable("gone")

    relay = Relay(outbox, Breaking(), "me", Often())
    await relay._leases.renew()
    outbox.insert(*(message(uuid4(), n // 40) for n in range(160)))
    async with asyncio.TaskGroup() as tasks:
        for _ in range(relaying.BATCHES):
            await relay._begin(tasks)
    assert (relay._failures, relay._room) == (1, 80)


async def test_a_bug_is_not_hidden_by_a_database_that_is_away(outbox: FakeOutbox, publisher: FakePublisher) -> None:
    def answer(sent: OutboxMessage) -> Confirmed:
        if sent.id == 1:
            outbox.away = 100
            raise TypeError("a bug")
        return Confirmed()

    publisher.answer = answer
    payment = uuid4()
    outbox.insert(message(payment), message(payment))
    with pytest.raises(ExceptionGroup) as raised:
        async with asyncio.timeout(60):
            await Relay(outbox, publisher, "me", Often()).run(asyncio.Event())
    assert raised.group_contains(TypeError)
