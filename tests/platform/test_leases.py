"""Who may publish what: a relay's leases, over an outbox and a broker in memory."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest

from app.kernel.errors import Unavailable
from app.platform.messaging import leases as leasing
from app.platform.messaging import waves
from app.platform.messaging.ports import Confirmed, OutboxMessage
from app.platform.messaging.relay import Relay
from tests.fakes.outbox import FakeOutbox, FakePublisher
from tests.platform.relaying import Often, message, relay_once, until


async def test_nothing_is_published_on_a_lease_that_might_end_meanwhile(
    outbox: FakeOutbox, publisher: FakePublisher
) -> None:
    now_s = 0.0
    relay = Relay(outbox, publisher, "me", Often(), clock=lambda: now_s)
    await relay._leases.renew()
    outbox.insert(message(uuid4()))
    now_s = leasing.LEASE_TTL_S - leasing.LEASE_MARGIN_S
    assert await relay._claim() is None
    assert publisher.published == []
    now_s -= 0.1
    await relay_once(relay)
    assert len(publisher.published) == 1


async def test_a_lease_lost_while_publishing_leaves_the_events_to_the_new_holder(
    outbox: FakeOutbox, publisher: FakePublisher
) -> None:
    relay = Relay(outbox, publisher, "zombie", Often())
    await relay._leases.renew()
    outbox.insert(message(uuid4()), message(uuid4(), 1))

    def answer(_: OutboxMessage) -> Confirmed:
        outbox.leases[0].epoch += 1
        outbox.leases[0].owner = "new"
        return Confirmed()

    publisher.answer = answer
    await relay_once(relay)
    assert [sent.partition for sent in outbox.sent()] == [1]
    assert 0 not in relay._leases.epochs


async def test_a_relay_that_loses_one_partition_to_a_newcomer_goes_on_with_its_share_at_once(
    outbox: FakeOutbox, publisher: FakePublisher
) -> None:
    relay = Relay(outbox, publisher, "first", Often())
    await relay._leases.renew()
    outbox.insert(*(message(uuid4(), partition) for partition in range(16)))
    await outbox.lease("second", (), leasing.LEASE_TTL_S)  # nothing is free: it asks for one
    await relay_once(relay)
    assert len(outbox.sent()) == 15
    assert not relay._leases.epochs
    await relay._leases.renew()
    assert relay._leases.epochs.keys() == set(range(8))
    assert len((await outbox.lease("second", (), leasing.LEASE_TTL_S)).epochs) == 7


async def test_a_relay_that_ends_in_doubt_gives_up_all_that_it_holds(
    outbox: FakeOutbox, publisher: FakePublisher
) -> None:
    relay = Relay(outbox, publisher, "me", Often())
    await relay._leases.renew()
    relay._leases.lost(range(16))
    await relay._leases.give_up()
    assert {lease.owner for lease in outbox.leases} == {None}


async def test_what_is_handed_over_while_it_is_claimed_is_not_published(
    outbox: FakeOutbox, publisher: FakePublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = Relay(outbox, publisher, "me", Often())
    await relay._leases.renew()
    outbox.insert(message(uuid4(), 3), message(uuid4(), 4))
    claim = outbox.claim

    async def slowly(partitions: Sequence[int], limit: int) -> Sequence[OutboxMessage]:
        claimed = await claim(partitions, limit)
        await relay._leases.hand_over([3])
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

    relay = Relay(outbox, Slow(), "me", Often())
    await relay._leases.renew()
    outbox.insert(message(uuid4(), 3))
    async with asyncio.TaskGroup() as tasks:
        await relay._begin(tasks)
        await publishing.wait()
        await relay._leases.hand_over([3])
        assert len(outbox.sent()) == 1


async def test_a_partition_lost_while_a_batch_is_under_way_is_not_published_further(
    outbox: FakeOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waves, "ENOUGH_S", 0.0)
    payment, other = uuid4(), uuid4()

    class Losing(FakePublisher):
        async def publish(self, messages):  # type: ignore[no-untyped-def]
            relay._leases.lost([3])
            return await super().publish(messages)

    publisher = Losing()
    relay = Relay(outbox, publisher, "me", Often())
    await relay._leases.renew()
    outbox.insert(*(message(one, partition) for one, partition in ((payment, 3), (other, 4)) for _ in range(2)))
    await relay_once(relay)
    await relay_once(relay)
    assert [sent.subject for sent in publisher.published].count(payment) == 1
    assert [sent.subject for sent in publisher.published].count(other) == 2


async def test_a_mark_whose_answer_was_lost_costs_no_partition(
    outbox: FakeOutbox, publisher: FakePublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = Relay(outbox, publisher, "me", Often(), random_share=lambda: 0.0)
    await relay._leases.renew()
    outbox.insert(message(uuid4()))
    record = outbox.record

    async def unheard(*arguments: Any) -> int:
        await record(*arguments)
        monkeypatch.undo()
        raise Unavailable("the answer was lost")

    monkeypatch.setattr(outbox, "record", unheard)
    await relay_once(relay)
    assert len(outbox.sent()) == 1
    assert 0 in relay._leases.epochs


async def test_stopping_finishes_the_confirms_and_the_mark_and_gives_the_leases_up(outbox: FakeOutbox) -> None:
    publishing, go_on = asyncio.Event(), asyncio.Event()

    class Slow(FakePublisher):
        async def publish(self, messages):  # type: ignore[no-untyped-def]
            publishing.set()
            await go_on.wait()
            return await super().publish(messages)

    outbox.insert(message(uuid4()))
    stop = asyncio.Event()
    running = asyncio.create_task(Relay(outbox, Slow(), "me", Often()).run(stop))
    await publishing.wait()
    stop.set()
    await asyncio.sleep(0)
    go_on.set()
    async with asyncio.timeout(60):
        await running
    assert len(outbox.sent()) == 1
    assert {lease.owner for lease in outbox.leases} == {None}


async def test_a_second_relay_gets_its_share_and_each_partition_has_one_holder(
    outbox: FakeOutbox, publisher: FakePublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leasing, "LEASE_RENEW_S", 0.01)
    monkeypatch.setattr(leasing, "LEASE_TTL_S", 0.5)
    monkeypatch.setattr(leasing, "LEASE_MARGIN_S", 0.1)
    first, second, stop = (
        Relay(outbox, publisher, "first", Often()),
        Relay(outbox, publisher, "second", Often()),
        asyncio.Event(),
    )
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(first.run(stop))
        await until(lambda: len(first._leases.epochs) == 16)
        tasks.create_task(second.run(stop))
        await until(lambda: len(first._leases.epochs) == len(second._leases.epochs) == 8)
        assert first._leases.epochs.keys() | second._leases.epochs.keys() == set(range(16))
        stop.set()
