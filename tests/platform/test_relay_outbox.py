"""The outbox as a relay sees it: one suite over PostgreSQL and the fake."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from app.main.local.roles import Urls
from app.platform.messaging.ports import Confirmed, Outbox, OutboxMessage, Retry
from app.platform.postgres.outbox import PostgresOutbox
from tests.fakes.outbox import FakeOutbox
from tests.platform.outbox_fixtures import eventually, insert_events, outbox_pool, query, unsent

TTL_S = 3.0
"""Of leases that are to end, and longer than a busy machine takes for two statements."""


@dataclass
class Subject:
    outbox: Outbox
    insert: Callable[[Sequence[UUID], Sequence[int]], object]
    unsent: Callable[[], int]
    go_back: Callable[[float], Awaitable[None]]
    """Let the outbox's clock go back by so many seconds: what is written is of that much later times."""


@pytest.fixture(params=["postgres", "fake"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "fake":
        late_s = 0.0
        fake = FakeOutbox(lambda: time.monotonic() - late_s)

        def insert(payments: Sequence[UUID], sequences: Sequence[int]) -> None:
            for sequence in sequences:
                for number, payment in enumerate(payments):
                    kind = f"payment.{sequence}"
                    fake.insert(OutboxMessage(payment, 0, uuid4(), payment, kind, b"", number % 16, 0))

        async def go_back(seconds: float) -> None:
            nonlocal late_s
            late_s += seconds

        yield Subject(fake, insert, lambda: sum(not row.sent for row in fake.rows), go_back)
        return
    urls: Urls = request.getfixturevalue("database")

    async def move(seconds: float) -> None:
        later = f"make_interval(secs => {seconds})"
        query(urls.owner_url, f"UPDATE payments.outbox_leases SET leased_until = leased_until + {later}")
        query(urls.owner_url, f"UPDATE payments.outbox_events SET retry_at = retry_at + {later}")

    async with outbox_pool(urls.app_url) as pool:
        yield Subject(
            PostgresOutbox(pool, "payments"),
            lambda payments, sequences: insert_events(urls.app_url, payments, sequences),
            lambda: unsent(urls.app_url),
            move,
        )


async def test_one_relay_holds_every_partition(subject: Subject) -> None:
    leases = await subject.outbox.lease("a", (), TTL_S)
    assert (sorted(leases.epochs), leases.share) == (list(range(16)), 16)


async def test_a_renewal_keeps_the_epochs(subject: Subject) -> None:
    first = await subject.outbox.lease("a", (), 30)
    assert await subject.outbox.lease("a", first.epochs, 30) == first


async def test_a_relay_that_finds_nothing_free_is_given_its_share(subject: Subject) -> None:
    """It asks for one partition, which it holds only when the lease of the one before has ended."""
    first = await subject.outbox.lease("a", (), TTL_S)
    assert (await subject.outbox.lease("b", (), TTL_S)).epochs == {}
    renewed = await subject.outbox.lease("a", first.epochs, 30)
    assert (len(renewed.epochs), renewed.share) == (15, 8)
    await subject.outbox.release("a", sorted(renewed.epochs)[8:])
    second: dict[int, int] = {}
    while len(second) < 8:
        second = dict((await subject.outbox.lease("b", second, 30)).epochs)
        await asyncio.sleep(0.02)
    assert second.keys() | set(range(8)) == set(range(16))
    assert all(second[partition] > first.epochs[partition] for partition in second)


async def test_a_dead_relays_partitions_are_taken_when_its_lease_ends(subject: Subject) -> None:
    first = await subject.outbox.lease("dead", (), TTL_S)
    taken: dict[int, int] = {}

    async def all_taken() -> bool:
        nonlocal taken
        taken = dict((await subject.outbox.lease("b", taken, 30)).epochs)
        return len(taken) == 16

    await eventually(all_taken)
    assert all(taken[partition] > first.epochs[partition] for partition in taken)


async def test_a_clock_that_went_back_makes_no_lease_longer(subject: Subject) -> None:
    """A relay dies, and the clock goes back an hour: nobody waits for its leases to end by the new time."""
    first = await subject.outbox.lease("dead", (), 30)
    await subject.go_back(3600)
    taken = await subject.outbox.lease("b", (), 30)
    assert (len(taken.epochs), taken.share) == (16, 16)
    assert all(taken.epochs[partition] > first.epochs[partition] for partition in taken.epochs)
    assert await subject.outbox.lease("b", taken.epochs, 30) == taken


async def test_a_clock_that_went_back_makes_no_retry_later(subject: Subject) -> None:
    epochs = (await subject.outbox.lease("a", (), 30)).epochs
    subject.insert([uuid4()], (1,))
    (bad,) = await subject.outbox.claim(range(16), 100)
    await subject.outbox.record([(bad, Retry("no", 300))], epochs)
    assert await subject.outbox.claim(range(16), 100) == []
    await subject.go_back(3600)
    assert len(await subject.outbox.claim(range(16), 100)) == 1


async def test_released_partitions_are_free_at_once(subject: Subject) -> None:
    first = await subject.outbox.lease("a", (), 30)
    await subject.outbox.release("a", first.epochs.keys())
    assert len((await subject.outbox.lease("b", (), 30)).epochs) == 16


async def test_claims_come_in_order_and_within_the_limit(subject: Subject) -> None:
    subject.insert([uuid4() for _ in range(32)], (1, 2))
    claimed = await subject.outbox.claim([3, 1], 6)
    assert [message.partition for message in claimed] == [3, 3, 3, 3, 1, 1]
    ids = [message.id for message in claimed]
    assert ids[:4] == sorted(ids[:4])
    assert ids[4:] == sorted(ids[4:])


async def test_what_is_recorded_as_confirmed_is_not_claimed_again(subject: Subject) -> None:
    epochs = (await subject.outbox.lease("a", (), 30)).epochs
    subject.insert([uuid4() for _ in range(8)], (1,))
    claimed = await subject.outbox.claim(range(16), 100)
    assert await subject.outbox.record([(message, Confirmed()) for message in claimed[:5]], epochs) == 5
    assert await subject.outbox.claim(range(16), 100) == claimed[5:]
    assert subject.unsent() == 3


async def test_a_retry_hides_all_events_of_its_payment_until_it_is_due(subject: Subject) -> None:
    epochs = (await subject.outbox.lease("a", (), 30)).epochs
    subject.insert([uuid4(), uuid4()], (1, 2))
    bad, *_ = claimed = await subject.outbox.claim([0, 1], 100)
    assert await subject.outbox.record([(bad, Retry("no", TTL_S))], epochs) == 1
    left = await subject.outbox.claim([0, 1], 100)
    assert left == [message for message in claimed if message.subject != bad.subject]

    async def is_back() -> bool:
        return len(await subject.outbox.claim([0, 1], 100)) == 4

    await eventually(is_back)
    assert [message.attempts for message in await subject.outbox.claim([0], 100)] == [1, 0]


async def test_a_zombies_record_changes_nothing(subject: Subject) -> None:
    stale = (await subject.outbox.lease("zombie", (), 0.05)).epochs
    subject.insert([uuid4() for _ in range(4)], (1,))
    claimed = await subject.outbox.claim(range(16), 100)

    async def taken_over() -> bool:
        return len((await subject.outbox.lease("new", (), 30)).epochs) == 16

    await eventually(taken_over)
    results: list[tuple[OutboxMessage, Confirmed | Retry]] = [(claimed[0], Confirmed()), (claimed[1], Retry("no", 1))]
    assert await subject.outbox.record(results, stale) == 0
    assert await subject.outbox.claim(range(16), 100) == claimed
