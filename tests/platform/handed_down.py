"""What may be handed down to sessions, each kind of session, and what one shows of itself."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from app.main import databases
from app.main.local.roles import LOGIN, OWNER, Urls
from app.platform.messaging.inbox_database import Database
from app.platform.postgres import migration_sessions
from app.platform.postgres.inspection import inspecting
from app.platform.postgres.integrity import snapshot
from app.platform.postgres.plans import make_planned_pool

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
    "idle_session_timeout": "1min",
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
    "row_security",
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
    async with make_planned_pool(url, "test", 1) as pool, pool.connection(timeout=120) as connection:
        return await (await connection.execute(SHOWN, (LIST,))).fetchall()


async def at_a_look(url: str) -> Any:
    async with inspecting(url, 60.0) as connection:
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
        (target,) = databases.at(url)
        with (
            migration_sessions.connected(url) as reading,
            migration_sessions.backend_of(url, target.folders) as (backend, _),
        ):
            shown = reading.execute(SHOWN, (LIST,)).fetchall()
            for one in (backend, backend.copy()):  # a migration runs on a copy
                assert one.connection.execute(SHOWN, (LIST,)).fetchall() == shown
                one.connection.close()
        return shown

    return await asyncio.to_thread(show)


KINDS = [in_a_pool, at_a_look, at_a_verification, in_a_consumer, in_a_migration]
