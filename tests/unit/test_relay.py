"""The relay's rules, over an outbox and a broker in memory."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.application.outbox import relay as relaying
from app.application.outbox.ports import BrokerUnavailable, Confirmed, OutboxMessage, Rejected
from app.application.outbox.relay import Relay, waves
from app.application.ports import Unavailable
from tests.fakes.outbox import FakeOutbox, FakePublisher


def message(payment_id: UUID, partition: int = 0, kind: str = "payment.created") -> OutboxMessage:
    return OutboxMessage(uuid4(), 0, uuid4(), payment_id, kind, b"{}", partition, 0)


@pytest.fixture
def outbox() -> FakeOutbox:
    return FakeOutbox()


@pytest.fixture
def publisher() -> FakePublisher:
    return FakePublisher()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 -- the fakes have no events to wait for
            await asyncio.sleep(0.005)


async def relay_once(relay: Relay) -> None:
    batch = await relay._claim()
    assert batch is not None
    await relay._relay_batch(batch)


async def run_until(relay: Relay, holds: Callable[[], bool]) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(relay.run(stop))
    await until(holds)
    stop.set()
    async with asyncio.timeout(30):
        await running


def test_a_wave_holds_at_most_one_event_of_a_payment_and_waves_keep_their_order() -> None:
    one, two, three = uuid4(), uuid4(), uuid4()
    claimed = [message(payment) for payment in (one, two, one, three, one, two)]
    assert waves(claimed) == [[claimed[0], claimed[1], claimed[3]], [claimed[2], claimed[5]], [claimed[4]]]


async def test_everything_is_published_in_each_payments_order_and_marked(
    outbox: FakeOutbox, publisher: FakePublisher
) -> None:
    payments = [uuid4() for _ in range(40)]
    outbox.insert(*(message(payment, n % 16) for _ in range(3) for n, payment in enumerate(payments)))
    await run_until(Relay(outbox, publisher, "me"), lambda: len(outbox.sent()) == 120)
    for payment in payments:
        ids = [published.id for published in publisher.published if published.payment_id == payment]
        assert ids == sorted(ids)
        assert len(ids) == 3


async def test_a_rejected_event_holds_back_only_the_later_events_of_its_payment(
    outbox: FakeOutbox, publisher: FakePublisher
) -> None:
    bad, good = uuid4(), uuid4()
    outbox.insert(message(bad), message(bad), message(good), message(good))
    publisher.answer = lambda sent: Rejected("too strange") if sent.payment_id == bad else Confirmed()
    await run_until(Relay(outbox, publisher, "me"), lambda: len(outbox.sent()) == 2)
    first, second = (row for row in outbox.rows if row.message.payment_id == bad)
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
    await run_until(Relay(outbox, publisher, "me"), lambda: len(outbox.sent()) == 2)
    assert [sent.id for sent in publisher.published] == [0, 1]
    assert outbox.rows[0].message.attempts == 2


async def test_the_back_off_of_a_rejected_event_doubles_up_to_a_limit(publisher: FakePublisher) -> None:
    relay = Relay(FakeOutbox(), publisher, "me", random_share=lambda: 1.0)
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
    await run_until(Relay(outbox, publisher, "me", random_share=lambda: 0.0), lambda: len(outbox.sent()) == 16)
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
    await run_until(Relay(outbox, Slow(), "me"), lambda: len(outbox.sent()) == 300)


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
    await run_until(Relay(outbox, Slow(), "me"), lambda: len(outbox.sent()) == 12_000)
    assert given < 2 * 12_000


async def test_what_was_confirmed_before_the_broker_went_is_marked(
    outbox: FakeOutbox, publisher: FakePublisher
) -> None:
    payment = uuid4()
    outbox.insert(message(payment), message(payment))

    def answer(sent: OutboxMessage) -> Confirmed:
        if sent.id == 1:
            raise BrokerUnavailable("gone")
        return Confirmed()

    publisher.answer = answer
    await run_until(Relay(outbox, publisher, "me"), lambda: len(outbox.sent()) == 1)
    assert [sent.id for sent in publisher.published] == [0]


async def test_nothing_is_published_on_a_lease_that_might_end_meanwhile(
    outbox: FakeOutbox, publisher: FakePublisher
) -> None:
    now_s = 0.0
    relay = Relay(outbox, publisher, "me", clock=lambda: now_s)
    await relay._lease()
    outbox.insert(message(uuid4()))
    now_s = relaying.LEASE_TTL_S - relaying.LEASE_MARGIN_S
    assert await relay._claim() is None
    assert publisher.published == []
    now_s -= 0.1
    await relay_once(relay)
    assert len(publisher.published) == 1


async def test_a_lease_lost_while_publishing_leaves_the_events_to_the_new_holder(
    outbox: FakeOutbox, publisher: FakePublisher
) -> None:
    relay = Relay(outbox, publisher, "zombie")
    await relay._lease()
    outbox.insert(message(uuid4()), message(uuid4(), 1))

    def answer(_: OutboxMessage) -> Confirmed:
        outbox.leases[0].epoch += 1
        outbox.leases[0].owner = "new"
        return Confirmed()

    publisher.answer = answer
    await relay_once(relay)
    assert [sent.partition for sent in outbox.sent()] == [1]
    assert 0 not in relay._epochs


async def test_a_mark_waits_for_a_database_that_is_away_for_a_moment(
    outbox: FakeOutbox, publisher: FakePublisher
) -> None:
    relay = Relay(outbox, publisher, "me", random_share=lambda: 0.0)
    await relay._lease()
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
    await run_until(Relay(outbox, Slow(), "me"), lambda: len(outbox.sent()) == 48)
    assert most == relaying.BATCHES


async def test_what_is_handed_over_while_it_is_claimed_is_not_published(
    outbox: FakeOutbox, publisher: FakePublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = Relay(outbox, publisher, "me")
    await relay._lease()
    outbox.insert(message(uuid4(), 3), message(uuid4(), 4))
    claim = outbox.claim

    async def slowly(partitions: Sequence[int], limit: int) -> Sequence[OutboxMessage]:
        claimed = await claim(partitions, limit)
        await relay._hand_over([3])
        return claimed

    monkeypatch.setattr(outbox, "claim", slowly)
    await relay_once(relay)
    assert [sent.partition for sent in publisher.published] == [4]


async def test_a_partition_is_handed_over_when_its_batch_is_marked(outbox: FakeOutbox) -> None:
    publishing = asyncio.Event()

    class Slow(FakePublisher):
        async def publish(self, messages):  # type: ignore[no-untyped-def]
            publishing.set()
            await asyncio.sleep(0.05)
            return await super().publish(messages)

    relay = Relay(outbox, Slow(), "me")
    await relay._lease()
    outbox.insert(message(uuid4(), 3))
    async with asyncio.TaskGroup() as tasks:
        await relay._begin(tasks)
        await publishing.wait()
        await relay._hand_over([3])
        assert len(outbox.sent()) == 1


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

    relay = Relay(outbox, Breaking(), "me")
    await relay._lease()
    outbox.insert(*(message(uuid4(), n // 40) for n in range(160)))
    async with asyncio.TaskGroup() as tasks:
        for _ in range(relaying.BATCHES):
            await relay._begin(tasks)
    assert (relay._failures, relay._room) == (1, 80)


async def test_a_partition_lost_while_a_batch_is_under_way_is_not_published_further(outbox: FakeOutbox) -> None:
    payment, other = uuid4(), uuid4()

    class Losing(FakePublisher):
        async def publish(self, messages):  # type: ignore[no-untyped-def]
            relay._epochs.pop(3, None)
            return await super().publish(messages)

    publisher = Losing()
    relay = Relay(outbox, publisher, "me")
    await relay._lease()
    outbox.insert(*(message(one, partition) for one, partition in ((payment, 3), (other, 4)) for _ in range(2)))
    await relay_once(relay)
    assert [sent.payment_id for sent in publisher.published].count(payment) == 1
    assert [sent.payment_id for sent in publisher.published].count(other) == 2


async def test_a_mark_whose_answer_was_lost_costs_no_partition(
    outbox: FakeOutbox, publisher: FakePublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = Relay(outbox, publisher, "me", random_share=lambda: 0.0)
    await relay._lease()
    outbox.insert(message(uuid4()))
    record = outbox.record

    async def unheard(*arguments: Any) -> int:
        await record(*arguments)
        monkeypatch.undo()
        raise Unavailable("the answer was lost")

    monkeypatch.setattr(outbox, "record", unheard)
    await relay_once(relay)
    assert len(outbox.sent()) == 1
    assert 0 in relay._epochs


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
        async with asyncio.timeout(30):
            await Relay(outbox, publisher, "me").run(asyncio.Event())
    assert raised.group_contains(TypeError)


async def test_stopping_finishes_the_confirms_and_the_mark_and_gives_the_leases_up(outbox: FakeOutbox) -> None:
    publishing, go_on = asyncio.Event(), asyncio.Event()

    class Slow(FakePublisher):
        async def publish(self, messages):  # type: ignore[no-untyped-def]
            publishing.set()
            await go_on.wait()
            return await super().publish(messages)

    outbox.insert(message(uuid4()))
    stop = asyncio.Event()
    running = asyncio.create_task(Relay(outbox, Slow(), "me").run(stop))
    await publishing.wait()
    stop.set()
    await asyncio.sleep(0)
    go_on.set()
    async with asyncio.timeout(30):
        await running
    assert len(outbox.sent()) == 1
    assert {lease.owner for lease in outbox.leases} == {None}


async def test_a_second_relay_gets_its_share_and_each_partition_has_one_holder(
    outbox: FakeOutbox, publisher: FakePublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "LEASE_RENEW_S", 0.01)
    monkeypatch.setattr(relaying, "LEASE_TTL_S", 0.5)
    monkeypatch.setattr(relaying, "LEASE_MARGIN_S", 0.1)
    first, second, stop = Relay(outbox, publisher, "first"), Relay(outbox, publisher, "second"), asyncio.Event()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(first.run(stop))
        await until(lambda: len(first._epochs) == 16)
        tasks.create_task(second.run(stop))
        await until(lambda: len(first._epochs) == len(second._epochs) == 8)
        assert first._epochs.keys() | second._epochs.keys() == set(range(16))
        stop.set()
