"""The lookout over outboxes: a relay is told of what comes, quiet outboxes cost one statement, together."""

import asyncio
from collections.abc import AsyncIterator, Collection
from uuid import uuid4

import psycopg
import pytest

from app.kernel.errors import Unavailable
from app.main.local.roles import Urls
from app.platform.messaging import lookout as looking
from app.platform.messaging.lookout import Lookout
from app.platform.messaging.relay import Relay
from app.platform.postgres.outbox import PostgresOutbox
from app.platform.postgres.outboxes import PostgresOutboxes, make_looking_pool
from app.platform.postgres.pool import Pool
from tests.fakes.outbox import FakeOutbox, FakePublisher
from tests.platform.outbox_fixtures import eventually, insert_events, outbox_pool, running, unsent
from tests.platform.relaying import message, until


@pytest.fixture
async def looking_pool(database: Urls) -> AsyncIterator[Pool]:
    async with make_looking_pool(database.app_url) as pool:
        yield pool


async def test_each_outbox_is_told_of_by_itself_and_again_while_something_is_left() -> None:
    full: list[str] = []

    async def those_with_some() -> Collection[str]:
        return full

    lookout = Lookout(those_with_some)
    first, second = lookout.over("first"), lookout.over("second")
    async with running(lookout.run):
        full.append("second")
        for _ in range(3):
            await asyncio.wait_for(second.wait(), 60)
            second.clear()
        assert not first.is_set()


async def test_a_lookout_whose_database_is_away_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LOOK_S", 0.001)
    failures = iter(range(20))

    async def answer() -> Collection[str]:
        if next(failures, None) is not None:
            raise Unavailable("away")
        return ["one"]

    lookout = Lookout(answer)
    async with running(lookout.run):
        await asyncio.wait_for(lookout.over("one").wait(), 60)


async def test_a_relay_asks_only_when_it_is_told(publisher: FakePublisher) -> None:
    outbox, news, asked = FakeOutbox(), asyncio.Event(), 0
    claim = outbox.claim

    async def counted(partitions: list[int], limit: int) -> object:
        nonlocal asked
        asked += 1
        return await claim(partitions, limit)

    outbox.claim = counted  # type: ignore[method-assign, assignment]
    relay = Relay(outbox, publisher, "me", news)
    async with running(relay.run):
        await until(lambda: relay.partitions == 16)
        for nth in range(1, 4):
            before = asked
            outbox.insert(message(uuid4()))
            await asyncio.sleep(0)  # whoever looked by itself could do so now
            assert asked == before
            news.set()
            await until(lambda nth=nth: len(outbox.sent()) == nth)  # type: ignore[misc]


async def test_an_outbox_is_relayed_that_has_something_unsent(database: Urls, looking_pool: Pool) -> None:
    outboxes = PostgresOutboxes(looking_pool, ["funds", "payments"])
    assert await outboxes.unsent() == []
    insert_events(database.app_url, [uuid4()])
    assert await outboxes.unsent() == ["payments"]
    publisher, lookout = FakePublisher(), Lookout(outboxes.unsent)
    async with outbox_pool(database.app_url) as pool:
        relay = Relay(PostgresOutbox(pool, "payments"), publisher, "me", lookout.over("payments"))
        async with running(lookout.run), running(relay.run):
            await eventually(lambda: not unsent(database.app_url))
    assert len(publisher.published) == 2
    assert await outboxes.unsent() == []


async def test_the_plan_that_a_session_makes_of_empty_outboxes_is_right_for_full_ones(
    database: Urls, looking_pool: Pool
) -> None:
    outboxes = PostgresOutboxes(looking_pool, ["payments", "funds"])
    await outboxes.unsent()
    async with looking_pool.connection() as connection:
        cursor = await connection.execute(f"EXPLAIN (COSTS OFF) EXECUTE {outboxes._look.name.decode()}")
        plan = "\n".join(line for (line,) in await cursor.fetchall())
    assert plan.count("using outbox_events_unsent on outbox_events") == 2
    assert "Sort" not in plan


async def test_a_database_that_is_away_is_unavailable(database: Urls) -> None:
    url = psycopg.conninfo.make_conninfo(database.app_url, port="1")
    pool = make_looking_pool(url)
    await pool.open()
    try:
        with pytest.raises(Unavailable):
            await PostgresOutboxes(pool, ["payments"]).unsent()
    finally:
        await pool.close()
