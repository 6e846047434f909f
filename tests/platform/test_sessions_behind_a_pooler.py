"""Sessions behind a pooler, which carries some settings over and not others: those are refused by name."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from app.kernel.errors import Unavailable
from app.main import databases
from app.main.local.roles import Urls
from app.platform.messaging.inbox_database import DatabaseAway
from app.platform.postgres import migration_sessions, migrations
from app.platform.postgres.actions import PostgresActionLog, PostgresActions
from app.platform.postgres.home import MigrationError
from app.platform.postgres.integrity import snapshot
from app.platform.postgres.pool import has_own_session, make_pool
from tests.pgbouncer import pgbouncer
from tests.platform.handed_down import (
    HANDED_DOWN,
    KINDS,
    LIST,
    REFUSED_BEHIND_A_POOLER,
    Hand,
    at_a_look,
    hand,
    in_a_consumer,
)

__all__ = ["hand"]


@contextmanager
def pooled(database: Urls, folder: Path) -> Iterator[Urls]:
    """The database through a pooler that refuses `options`, with one session of the server for each role."""
    with pgbouncer(folder, database.owner_url, database.app_url, sessions=1) as (owner_url, app_url):
        yield Urls(owner_url, app_url)


@pytest.fixture
def pooler(database: Urls, tmp_path: Path) -> Iterator[Urls]:
    """The same, for a whole test."""
    with pooled(database, tmp_path) as urls:
        yield urls


@pytest.mark.parametrize("kind", KINDS[:-1])
async def test_what_a_pooler_carries_over_is_set_behind_it(
    kind: Any, database: Urls, hand: Hand, tmp_path: Path
) -> None:
    before = await kind(database.owner_url)
    hand(**{name: value for name, value in HANDED_DOWN.items() if name not in REFUSED_BEHIND_A_POOLER})
    with pooled(database, tmp_path) as pooler:
        (*shown, _) = (await kind(pooler.owner_url))[0]
    assert shown == list(before[0][:-1])  # but for row_security: without policies it changes nothing


@pytest.mark.parametrize("name", sorted(REFUSED_BEHIND_A_POOLER))
async def test_what_no_pooler_carries_over_is_refused_by_name_with_what_mends_it(
    name: str, database: Urls, hand: Hand, tmp_path: Path
) -> None:
    hand(**{name: HANDED_DOWN[name]})
    with pooled(database, tmp_path) as pooler:
        with pytest.raises(Unavailable, match=f"(?i){name} is ") as refused:
            await at_a_look(pooler.owner_url)
        with pytest.raises(DatabaseAway, match=f"(?i){name} is "):
            await in_a_consumer(pooler.owner_url)
        with pytest.raises(migration_sessions.UnfitDatabase, match=f"(?i){name} is "):
            await asyncio.to_thread(migrations.version, databases.at(pooler.owner_url))
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute(str(refused.value).rpartition(": ")[2].encode())
    with pooled(database, tmp_path) as pooler:
        await at_a_look(pooler.owner_url)


async def test_a_server_that_takes_no_writes_is_refused_behind_a_pooler_which_libpq_does_not_see(
    database: Urls, hand: Hand, tmp_path: Path
) -> None:
    with pooled(database, tmp_path) as pooler:
        await at_a_look(pooler.owner_url)  # what the pooler knows of its server from here on
        hand(default_transaction_read_only="on")
        with psycopg.connect(database.owner_url, autocommit=True) as owner:
            owner.execute(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE backend_type = 'client backend'"
                " AND datname = current_database() AND pid <> pg_backend_pid()"
            )
        with pytest.raises(Unavailable, match="default_transaction_read_only is on"):
            await at_a_look(pooler.owner_url)


async def test_libpqs_options_are_not_sent_to_a_pooler_that_refuses_them(
    pooler: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c geqo=off")
    await at_a_look(pooler.owner_url)


async def test_behind_a_pooler_nothing_is_prepared_and_nothing_is_left_behind(pooler: Urls, database: Urls) -> None:
    async with snapshot(pooler.app_url) as connection:
        await connection.execute("SELECT 1")
    async with one_of_a_pool(pooler.app_url) as connection:
        assert not has_own_session(connection)
        cursor = await connection.execute(
            "SELECT name FROM pg_settings WHERE source = 'session' AND name <> 'application_name'"
        )
        left = {name for (name,) in await cursor.fetchall()}
    assert left <= {"client_encoding", "DateStyle", "TimeZone", "standard_conforming_strings"}
    async with one_of_a_pool(database.app_url) as connection:
        assert has_own_session(connection)


@asynccontextmanager
async def one_of_a_pool(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection of a pool that was waited for: at first whoever asks may ask too soon."""
    async with make_pool(url, "one", 1) as pool:
        await pool.wait()
        async with pool.connection() as connection:
            yield connection


async def test_a_verification_takes_its_time_behind_a_pooler_too(database: Urls, hand: Hand, tmp_path: Path) -> None:
    hand(statement_timeout="1s", idle_in_transaction_session_timeout="1s")
    with pooled(database, tmp_path) as pooler:
        async with snapshot(pooler.owner_url) as connection:
            await connection.execute("SELECT pg_sleep(1.5)")


async def test_what_operators_do_is_recorded_through_a_pooler(pooler: Urls) -> None:
    number = await PostgresActions(pooler.app_url, "alice").record("test", {"reference": LIST[1]})
    (action,) = await PostgresActionLog(pooler.app_url).newest(None, 1)
    assert (action.number, action.details) == (number, {"reference": LIST[1]})


def test_migrations_do_not_run_through_a_pooler_and_leave_no_lock_there(pooler: Urls, database: Urls) -> None:
    targets = databases.at(pooler.owner_url)
    for run in (partial(migrations.up, targets), partial(migrations.force, targets, 2)):
        with pytest.raises(MigrationError, match="MIGRATE_DATABASE_URL"):
            run()
    assert migrations.version(databases.at(pooler.app_url)) == migrations.latest(targets)
    assert migrations.up(databases.at(database.owner_url)) == []
