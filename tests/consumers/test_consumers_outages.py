"""Consumers whose database, queue or time goes away: nothing is lost, and nothing is given up."""

import asyncio
from collections.abc import Sequence
from uuid import uuid4

import psycopg
import pytest
from structlog.testing import capture_logs

from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from app.platform.messaging import inbox_database as databases
from app.platform.messaging.inbox_database import DatabaseAway
from app.platform.messaging.worker import Counts
from tests.conftest import MakeDatabase
from tests.consumers.consuming import AUDIT, assert_chain, audit, audited, consuming, holds
from tests.platform.outbox_fixtures import Broker, document, eventually


async def test_while_the_database_is_away_nothing_is_lost_or_given_up_and_then_it_goes_on(
    broker: Broker, make_mortal_database: MakeDatabase, mortal_postgres: PostgresServer
) -> None:
    counts, database = Counts(), make_mortal_database()
    async with audit(broker, database.app_url, counts):
        await broker.send(document(uuid4()))
        await eventually(lambda: audited(database.app_url) == 1)
        await asyncio.to_thread(mortal_postgres.kill)
        await eventually(lambda: not mortal_postgres.alive)
        for _ in range(30):
            await broker.send(document(uuid4()))
        await asyncio.to_thread(mortal_postgres.start)
        await eventually(lambda: audited(database.app_url) == 31)
    assert (counts.retries, counts.dead_letters) == (0, 0)
    assert_chain(database.app_url)


async def test_stopping_while_the_database_is_away_gives_the_messages_back(broker: Broker) -> None:
    async def away(_: Sequence[bytes]) -> None:
        tried.set()
        raise DatabaseAway("gone")

    tried = asyncio.Event()
    async with consuming(broker, AUDIT, away):
        await broker.send(document(uuid4()))
        await tried.wait()
    await eventually(lambda: holds(broker, "audit.queue", 1))


async def test_stopping_finishes_and_acknowledges_what_is_held(broker: Broker) -> None:
    handled: list[bytes] = []
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(documents: Sequence[bytes]) -> None:
        begun.set()
        await go_on.wait()
        handled.extend(documents)

    async with consuming(broker, AUDIT, slow):
        for _ in range(5):
            await broker.send(document(uuid4()))
        await begun.wait()
        asyncio.get_running_loop().call_later(0.2, go_on.set)
    assert len(handled) >= 1
    # What a channel that has ended held comes back some moments later.
    await eventually(lambda: holds(broker, "audit.queue", 5 - len(handled)))


async def test_a_deleted_queue_is_consumed_again_when_it_is_back(broker: Broker, database: Urls) -> None:
    async with audit(broker, database.app_url):
        await broker.send(document(uuid4()))
        await eventually(lambda: audited(database.app_url) == 1)
        await broker.channel.queue_delete("audit.queue")
        await eventually(lambda: is_consumed(broker, "audit.queue"))  # by then it is bound, too
        await broker.send(document(uuid4()))
        await eventually(lambda: audited(database.app_url) == 2)


async def is_consumed(broker: Broker, queue: str) -> bool:
    return await broker.consumers(queue) == 1


async def test_a_lock_held_too_long_is_nobodys_fault(
    broker: Broker, database: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "_LIMITS", {"lock_timeout": 50})
    counts = Counts()
    with psycopg.connect(database.owner_url) as blocker, capture_logs() as logs:
        blocker.execute("LOCK TABLE audit.head")
        async with audit(broker, database.app_url, counts):
            await broker.send(document(uuid4()))
            await eventually(lambda: any("LockNotAvailable 55P03" in log.get("reason", "") for log in logs))
            blocker.rollback()
            await eventually(lambda: audited(database.app_url) == 1)
    assert (counts.retries, counts.dead_letters) == (0, 0)
