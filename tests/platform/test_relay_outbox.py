"""The outbox as a relay sees it: one suite over PostgreSQL and the fake, and what is PostgreSQL's alone."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import psycopg
import pytest

from app.adapters.postgres import numbering
from app.adapters.postgres import outbox as statements
from app.adapters.postgres.figures import PostgresFigures
from app.adapters.postgres.outbox import PostgresOutbox
from app.application.outbox.ports import COUNTED, Backlog, Confirmed, Outbox, OutboxMessage, Retry, in_words
from app.application.outbox.upkeep import keep_up
from app.main.local.roles import Urls
from tests.fakes.outbox import FakeOutbox
from tests.integration.outbox_fixtures import (
    document,
    eventually,
    insert_events,
    outbox_pool,
    query,
    running,
    unsent,
)
from tests.plans import plan_of

TTL_S = 0.4


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
        query(urls.owner_url, f"UPDATE outbox_leases SET leased_until = leased_until + {later}")
        query(urls.owner_url, f"UPDATE outbox_events SET retry_at = retry_at + {later}")

    async with outbox_pool(urls.app_url) as pool:
        yield Subject(
            PostgresOutbox(pool),
            lambda payments, sequences: insert_events(urls.app_url, payments, sequences),
            lambda: unsent(urls.app_url),
            move,
        )


async def test_one_relay_holds_every_partition(subject: Subject) -> None:
    leases = await subject.outbox.lease("a", (), TTL_S)
    assert (sorted(leases.epochs), leases.share) == (list(range(16)), 16)


async def test_a_renewal_keeps_the_epochs(subject: Subject) -> None:
    first = await subject.outbox.lease("a", (), TTL_S)
    assert await subject.outbox.lease("a", first.epochs, TTL_S) == first


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

    await eventually(all_taken, 5)
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
    assert await subject.outbox.record([(bad, Retry("no", 0.3))], epochs) == 1
    left = await subject.outbox.claim([0, 1], 100)
    assert left == [message for message in claimed if message.payment_id != bad.payment_id]

    async def is_back() -> bool:
        return len(await subject.outbox.claim([0, 1], 100)) == 4

    await eventually(is_back, 5)
    assert [message.attempts for message in await subject.outbox.claim([0], 100)] == [1, 0]


async def test_a_zombies_record_changes_nothing(subject: Subject) -> None:
    stale = (await subject.outbox.lease("zombie", (), 0.05)).epochs
    subject.insert([uuid4() for _ in range(4)], (1,))
    claimed = await subject.outbox.claim(range(16), 100)

    async def taken_over() -> bool:
        return len((await subject.outbox.lease("new", (), 30)).epochs) == 16

    await eventually(taken_over, 5)
    results: list[tuple[OutboxMessage, Confirmed | Retry]] = [(claimed[0], Confirmed()), (claimed[1], Retry("no", 1))]
    assert await subject.outbox.record(results, stale) == 0
    assert await subject.outbox.claim(range(16), 100) == claimed


# What is PostgreSQL's alone


async def test_the_payload_arrives_as_it_was_written(database: Urls) -> None:
    payment, event_id = uuid4(), uuid4()
    body = document(payment, 1, event_id, note="ß  \\u0041").replace(b": ", b" :  ")
    query(
        database.app_url,
        "INSERT INTO outbox_events (user_id, event_id, payment_id, sequence, type, payload, partition, created_at)"
        " VALUES (%s, %s, %s, 1, 'payment.created', %s, 5, now())",
        *(payment, event_id, payment, body.decode()),
    )
    async with outbox_pool(database.app_url) as pool:
        [message] = await PostgresOutbox(pool).claim([5], 10)
    assert message == OutboxMessage(payment, message.id, event_id, payment, "payment.created", body, 5, 0)


async def test_a_look_at_the_backlog_counts_only_so_far(database: Urls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.adapters.postgres.outbox.COUNTED", 3)
    monkeypatch.setattr("app.adapters.postgres.figures.COUNTED", 3)
    insert_events(database.app_url, [uuid4() for _ in range(5)])
    async with outbox_pool(database.app_url) as pool:
        assert (await PostgresOutbox(pool).backlog()).depth == 3
    assert (await PostgresFigures(database.app_url, "", 5.0).outbox()).depth == 3
    assert (in_words(COUNTED - 1), in_words(COUNTED)) == ("99999", "100,000 or more")


async def test_the_backlog_is_what_waits_and_how_long_the_oldest_has(database: Urls) -> None:
    async with outbox_pool(database.app_url) as pool:
        outbox = PostgresOutbox(pool)
        assert await outbox.backlog() == Backlog(0, 0.0)
        insert_events(database.app_url, [uuid4() for _ in range(5)])
        query(database.app_url, "UPDATE outbox_events SET created_at = now() - interval '90 s' WHERE partition = 3")
        backlog = await outbox.backlog()
    assert backlog.depth == 10
    assert 90 <= backlog.lag_s < 120


async def test_sent_events_leave_after_their_retention_and_unsent_ones_never(database: Urls) -> None:
    insert_events(database.app_url, [uuid4() for _ in range(1300)], (1, 2))
    url = database.app_url
    query(url, "UPDATE outbox_events SET created_at = now() - interval '9 h'")
    query(url, "UPDATE outbox_events SET sent_at = now() - interval '3 h' WHERE sequence = 1")
    query(url, "UPDATE outbox_events SET sent_at = now() - interval '1 h' WHERE sequence = 2 AND partition = 1")
    seen: list[Backlog] = []
    async with outbox_pool(url) as pool:
        async with running(lambda stop: keep_up(PostgresOutbox(pool), 2, seen.append, stop)):
            await eventually(lambda: query(url, "SELECT count(*) FROM outbox_events WHERE sequence = 1") == [(0,)])
        assert query(url, "SELECT count(*) FROM outbox_events") == [(1300,)]
    assert seen


def test_every_polling_query_stays_on_its_index(database: Urls) -> None:
    """However many sent events the table keeps."""
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO outbox_events (user_id, event_id, payment_id, sequence, type, payload, partition, created_at,"
            " sent_at) SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1, 'payment.created',"
            " json_build_object('x', repeat('x', 500)), n %% 16, now(), CASE WHEN n %% 200 > 0 THEN now() END"
            " FROM generate_series(1, 40000) AS n".replace("%%", "%")
        )
        connection.execute("VACUUM ANALYZE outbox_events")
        some = connection.execute("SELECT * FROM outbox_events WHERE sent_at IS NULL LIMIT 200").fetchall()
    users, ids, partitions = [row[0] for row in some], [row[1] for row in some], [row[7] for row in some]
    nothing, every = [None] * len(some), list(range(16))
    record = (users, ids, partitions, nothing, nothing, every, [1] * 16)
    for mode, text, values, index in (
        ("force_generic_plan", statements._CLAIM.text, (every, every, 1000), "outbox_events_unsent"),
        ("force_generic_plan", statements._RECORD.text, record, "outbox_events_unsent"),
        ("force_custom_plan", statements._BACKLOG % {"most": COUNTED, "partitions": 16}, (), "outbox_events_unsent"),
        ("force_custom_plan", numbering.SERVICE[0].places, (), "outbox_events_unsent"),
        ("force_custom_plan", numbering.SERVICE[0].places, (), "outbox_events_sent"),
        ("force_custom_plan", statements._CLEAN_UP % {"retention_s": 3600, "limit": 1000}, (), "outbox_events_sent"),
    ):
        plan = plan_of(database.app_url, mode, text, values)
        assert index in plan, plan
        assert "Seq Scan on outbox_events " not in plan, plan


async def test_a_mark_looks_up_its_rows_however_many_wait_that_the_planner_knows_nothing_of(database: Urls) -> None:
    """As after an outage of the broker in a quiet night: when the rows were last counted none was unsent."""
    insert_events(database.app_url, [uuid4() for _ in range(500)])
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE outbox_events SET (autovacuum_enabled = off)")
        connection.execute("UPDATE outbox_events SET sent_at = now()")
        connection.execute("VACUUM ANALYZE outbox_events")
    insert_events(database.app_url, [uuid4() for _ in range(3000)])
    rows = query(database.app_url, "SELECT user_id, id, partition FROM outbox_events WHERE sent_at IS NULL LIMIT 500")
    users, ids, partitions = (list(column) for column in zip(*rows, strict=True))
    nothing, every = [None] * len(rows), list(range(16))
    values = (users, ids, partitions, nothing, nothing, every, [0] * 16)
    for mode in ("force_generic_plan", "force_custom_plan"):
        plan = plan_of(database.app_url, mode, statements._RECORD.text, values)
        assert re.search(r"Index Scan using outbox_events_unsent.*\n.*Index Cond: .*\bid = r\.id", plan), plan
        assert plan.count("outbox_events_unsent") == 1, plan


async def test_a_database_that_is_away_is_told_as_such(database: Urls) -> None:
    from app.application.ports import Unavailable

    async with outbox_pool(database.app_url) as pool:
        outbox: Awaitable[object] = PostgresOutbox(pool).claim([1], 1)
        await pool.close()
        with pytest.raises(Unavailable):
            await outbox
