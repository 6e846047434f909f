"""What roles, databases and the environment hand down to sessions changes nothing, or is refused by name."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from app.adapters.postgres.actions import PostgresActionLog, PostgresActions
from app.adapters.postgres.inspection import inspecting
from app.adapters.postgres.integrity import snapshot
from app.adapters.postgres.plans import make_planned_pool
from app.adapters.postgres.pool import has_own_session, make_pool
from app.adapters.postgres.rules import misread
from app.adapters.sessions import UnfitSession
from app.application.ports import Unavailable
from app.main import migrations
from app.main.local.roles import LOGIN, OWNER, Urls, make_database
from consumers.kit.database import Database, DatabaseAway
from tests.conftest import PASSWORD, MakeDatabase
from tests.pgbouncer import pgbouncer

# What each session shows of itself: a time, a span, bytes, a number, a text, NULL in a list, and where things are.
SHOWN = """
    SELECT timestamptz '2026-11-27 12:00:00.5+00', interval '1 day 2 h 3 min', '\\x00ff'::bytea,
           1795780800.123456::float8, length('\\A'), %s::text[], current_schema(),
           current_setting('transaction_isolation'), current_setting('synchronous_commit'),
           current_setting('row_security')
"""
LIST = [None, "€ – Оплата – 🧾"]

HANDED_DOWN = {
    "datestyle": "SQL, DMY",
    "intervalstyle": "sql_standard",
    "timezone": "Asia/Kathmandu",
    "client_encoding": "LATIN1",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "array_nulls": "off",
    "standard_conforming_strings": "off",
    "search_path": '"$user", elsewhere, public',
    "row_security": "off",
    "default_transaction_isolation": "serializable",
    "synchronous_commit": "off",
    "client_min_messages": "error",
    "idle_session_timeout": "1s",
    "exit_on_error": "on",
    "lock_timeout": "1ms",
    "plan_cache_mode": "force_generic_plan",
    "quote_all_identifiers": "on",
}
# Behind a pooler nobody can set these; what it is told is what is wrong.
REFUSED_BEHIND_A_POOLER = {
    "intervalstyle",
    "array_nulls",
    "extra_float_digits",
    "search_path",
    "default_transaction_isolation",
    "synchronous_commit",
    "client_min_messages",
}
Hand = Callable[..., None]


@pytest.fixture
def hand(database: Urls) -> Hand:
    """A function that has the database, or a role in it, hand settings down."""
    name = str(conninfo_to_dict(database.owner_url)["dbname"])

    def hand_down(**settings: str) -> None:
        with psycopg.connect(database.owner_url, autocommit=True) as owner:
            for role in (OWNER, LOGIN) if "search_path" in settings else ():
                owner.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(role)))
                owner.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO strongbox_app").format(sql.Identifier(role)))
            for setting, value in settings.items():
                values = sql.SQL(value if setting == "search_path" else "{}").format(sql.Literal(value))
                for target in ("DATABASE {0}", "ROLE {1} IN DATABASE {0}"):
                    owner.execute(
                        sql.SQL(f"ALTER {target} SET {{2}} = {{3}}").format(
                            sql.Identifier(name), sql.Identifier(OWNER), sql.SQL(setting), values
                        )
                    )

    return hand_down


async def in_a_pool(url: str) -> Any:
    async with make_planned_pool(url, "test", 1) as pool, pool.connection() as connection:
        return await (await connection.execute(SHOWN, (LIST,))).fetchall()


async def at_a_look(url: str) -> Any:
    async with inspecting(url, 5.0) as connection:
        await connection.rollback()
        await connection.set_isolation_level(None)
        return await (await connection.execute(SHOWN, (LIST,))).fetchall()


async def at_a_verification(url: str) -> Any:
    async with snapshot(url) as connection:
        await connection.rollback()
        await connection.set_isolation_level(None)
        return await (await connection.execute(SHOWN, (LIST,))).fetchall()


async def in_a_consumer(url: str) -> Any:
    database = Database(url, "test")
    try:
        async with database.connection() as connection, connection.transaction():
            return await (await connection.execute(SHOWN, (LIST,))).fetchall()
    finally:
        await database.close()


async def in_a_migration(url: str) -> Any:
    def show() -> Any:
        target, _ = migrations.targets(url, url)
        with migrations._connected(url) as reading, migrations._backend(target) as (backend, _):
            shown = reading.execute(SHOWN, (LIST,)).fetchall()
            for one in (backend, backend.copy()):  # a migration runs on a copy
                assert one.connection.execute(SHOWN, (LIST,)).fetchall() == shown
                one.connection.close()
        return shown

    return await asyncio.to_thread(show)


KINDS = [in_a_pool, at_a_look, at_a_verification, in_a_consumer, in_a_migration]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_session_is_the_same_whatever_is_handed_down_to_it(
    kind: Any, database: Urls, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await kind(database.owner_url)
    hand(**HANDED_DOWN)
    for name, value in (("PGDATESTYLE", "German"), ("PGTZ", "Asia/Tokyo"), ("PGCLIENTENCODING", "LATIN1")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PGOPTIONS", "-c datestyle=Postgres -c client_min_messages=error")
    assert await kind(database.owner_url) == before
    assert before[0][4:9] == (2, LIST, "public", "read committed", "on")


async def test_more_durable_than_asked_for_stays_so(database: Urls, hand: Hand) -> None:
    hand(synchronous_commit="remote_apply")
    ((*_, synchronous_commit, _),) = await in_a_pool(database.owner_url)
    assert synchronous_commit == "remote_apply"


async def test_a_session_whose_foreign_keys_hold_nothing_is_refused(database: Urls, postgres_url: str) -> None:
    name = conninfo_to_dict(database.app_url)["dbname"]
    with psycopg.connect(postgres_url, autocommit=True) as superuser:
        superuser.execute(f"ALTER ROLE {LOGIN} IN DATABASE {name} SET session_replication_role = replica")
    with pytest.raises(UnfitSession, match=f"session_replication_role .* ALTER ROLE .{LOGIN}. IN DATABASE"):
        async with snapshot(database.app_url):
            pass
    with pytest.raises(Unavailable, match="cannot be used: session_replication_role is replica"):
        async with inspecting(database.app_url, 5.0):
            pass


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
        with pytest.raises(migrations.UnfitDatabase, match=f"(?i){name} is "):
            await asyncio.to_thread(migrations.version, pooler.owner_url, pooler.owner_url)
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
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        with pytest.raises(Unavailable, match="default_transaction_read_only is on"):
            await at_a_look(pooler.owner_url)


async def test_libpqs_options_are_not_sent_to_a_pooler_that_refuses_them(
    pooler: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c geqo=off")
    await at_a_look(pooler.owner_url)


@pytest.mark.parametrize("setting", ["on", "off"])
async def test_the_currencys_rule_is_read_however_names_are_quoted(database: Urls, setting: str) -> None:
    async with await psycopg.AsyncConnection.connect(database.owner_url, autocommit=True) as connection:
        await connection.execute(f"SET quote_all_identifiers = {setting}")
        assert await misread(connection) == {}


async def test_behind_a_pooler_nothing_is_prepared_and_nothing_is_left_behind(pooler: Urls, database: Urls) -> None:
    async with snapshot(pooler.app_url) as connection:
        await connection.execute("SELECT 1")
    async with make_pool(pooler.app_url, "behind", 1) as pool, pool.connection() as connection:
        assert not has_own_session(connection)
        cursor = await connection.execute(
            "SELECT name FROM pg_settings WHERE source = 'session' AND name <> 'application_name'"
        )
        left = {name for (name,) in await cursor.fetchall()}
    assert left <= {"client_encoding", "DateStyle", "TimeZone", "standard_conforming_strings"}
    async with make_pool(database.app_url, "direct", 1) as pool, pool.connection() as connection:
        assert has_own_session(connection)


async def test_a_verification_takes_its_time_behind_a_pooler_too(database: Urls, hand: Hand, tmp_path: Path) -> None:
    hand(statement_timeout="50ms", idle_in_transaction_session_timeout="50ms")
    with pooled(database, tmp_path) as pooler:
        async with snapshot(pooler.owner_url) as connection:
            await connection.execute("SELECT pg_sleep(0.2)")


async def test_what_operators_do_is_recorded_through_a_pooler(pooler: Urls) -> None:
    number = await PostgresActions(pooler.app_url, "alice").record("test", {"reference": LIST[1]})
    (action,) = await PostgresActionLog(pooler.app_url).newest(None, 1)
    assert (action.number, action.details) == (number, {"reference": LIST[1]})


def test_migrations_do_not_run_through_a_pooler_and_leave_no_lock_there(pooler: Urls, database: Urls) -> None:
    url = pooler.owner_url
    for run in (partial(migrations.up, url, url), partial(migrations.force, url, url, 2)):
        with pytest.raises(migrations.MigrationError, match="MIGRATE_DATABASE_URL"):
            run()
    assert migrations.version(pooler.app_url, pooler.app_url) == migrations.latest()
    assert migrations.up(database.owner_url, database.owner_url) == []


def test_a_schema_named_like_the_owner_is_not_where_the_books_go(postgres_url: str, make_fresh_database: Any) -> None:
    server = postgres_url.rpartition("@")[2].partition("/")[0]
    for name in ('b#o?k"s %41/x', f"plain_{uuid.uuid4().hex[:8]}"):
        make_database(postgres_url, name)
        url = psycopg.conninfo.make_conninfo(f"postgresql://{OWNER}:{PASSWORD}@{server}", dbname=name)
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute(f"CREATE SCHEMA {OWNER}")
        assert len(migrations.up(url, url)) == migrations.latest()
        login = psycopg.conninfo.make_conninfo(url, user=LOGIN)
        for home in migrations.targets(login, login):
            assert migrations.applied(home) == migrations.names(home.folder)


def test_books_that_an_old_search_path_put_elsewhere_are_not_begun_anew(database: Urls) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("CREATE SCHEMA bank")
        for table in ("wallet_balances", "_yoyo_migration"):
            owner.execute(f"ALTER TABLE {table} SET SCHEMA bank")
    with pytest.raises(migrations.UnfitDatabase, match="in the schema bank"):
        migrations.up(database.owner_url, database.owner_url)


def test_consumers_tables_that_an_old_search_path_put_elsewhere_are_not_begun_anew_nor_anything_before(
    make_fresh_database: MakeDatabase, postgres_url: str
) -> None:
    consumers, name = make_fresh_database(), f"beside_{uuid.uuid4().hex[:8]}"
    make_database(postgres_url, name)
    service_url = f"{consumers.owner_url.rpartition('/')[0]}/{name}"
    with psycopg.connect(consumers.owner_url, autocommit=True) as owner:
        owner.execute(
            "CREATE SCHEMA bank; ALTER TABLE _yoyo_migration SET SCHEMA bank; DROP TABLE wallet_balances CASCADE"
        )
    with pytest.raises(migrations.UnfitDatabase, match="in the schema bank"):
        migrations.up(service_url, consumers.owner_url)
    assert migrations.version(service_url, service_url) == 0
