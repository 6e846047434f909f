"""Why the database cannot be worked in is said: at the start, by readiness, in the log, and by every command."""

import asyncio
import gc
import subprocess
from collections.abc import AsyncIterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import PoolTimeout
from structlog.testing import capture_logs

from app.contexts.funds.adapters.postgres.tables import FUNDS
from app.main.contexts import load
from app.main.local.roles import LOGIN, Urls
from app.main.schema_check import check_schema
from app.platform.messaging.inbox_database import Database, DatabaseAway
from app.platform.postgres import pool as pooling
from app.platform.postgres.pool import Pool, make_pool
from app.platform.postgres.rules import misread
from app.platform.postgres.schema import Expected, SchemaReader
from app.platform.process.running import CannotServe
from tests import forks
from tests.pgbouncer import pgbouncer

# Waited for: who asks a pooler while its session is still ending is hung up on instead of getting a new one.
END_ALL = """
    SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
    WHERE usename = user AND datname = current_database() AND pid <> pg_backend_pid()
"""
LIMIT_S, SOON_S = 120.0, 1.0
WRONG_PASSWORD = 'password authentication failed for user "strongbox_service"'


def strongbox(url: str, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {"DATABASE_URL": url, "GATEWAY_URL": "http://127.0.0.1:1", "PATH": ""}
    return forks.run(("app", *words), Path.cwd(), environment)


@pytest.fixture
def shut(database: Urls) -> str:
    """The URL of the services with a wrong password."""
    return make_conninfo(database.app_url, password="s3cret")


@pytest.mark.parametrize(
    "words",
    [
        ["provider", "add", "Acme"],
        ["outbox", "status"],
        ["payments", "show", "0190c7a0-0000-7000-8000-000000000005"],
        ["verify"],
        ["migrate", "version"],
    ],
    ids=" ".join,
)
def test_a_command_says_in_the_server_s_words_why_there_is_no_database(shut: str, words: list[str]) -> None:
    said = strongbox(shut, *words)
    assert said.returncode == 1, said.stderr
    assert "the database cannot be reached: " in said.stderr
    assert WRONG_PASSWORD in said.stderr
    assert "s3cret" not in said.stderr
    assert "Traceback" not in said.stderr


async def test_a_consumer_waits_for_its_database_with_the_reason(shut: str) -> None:
    database = Database(shut, "test")
    with pytest.raises(DatabaseAway, match=WRONG_PASSWORD):
        async with database.connection():
            pass


@pytest.fixture
async def waiting() -> AsyncIterator[None]:
    """Nothing was said yet."""
    pooling._said.clear()
    yield
    pooling._said.clear()


@pytest.mark.usefixtures("waiting")
async def test_a_pool_without_connections_logs_the_reason_and_not_at_every_attempt(shut: str) -> None:
    with capture_logs() as logs:
        async with make_pool(shut, "shut", 2) as pool:
            await without_connections_until(WRONG_PASSWORD, logs, pool)
            with pytest.raises(PoolTimeout):
                await pool.getconn(SOON_S)
    assert {entry["event"] for entry in logs} == {"database_out_of_reach"}
    assert [WRONG_PASSWORD in entry["reason"] for entry in logs].count(True) == 1  # and a busy one may have been late
    assert "s3cret" not in str(logs)


@pytest.mark.usefixtures("waiting")
async def test_readiness_notices_what_sessions_behind_a_pooler_get_from_now_on(database: Urls, tmp_path: Path) -> None:
    with pgbouncer(tmp_path, database.app_url, sessions=1) as (url,):
        async with make_pool(url, "ready", 1) as pool:
            await pool.wait(LIMIT_S)
            reader = SchemaReader(pool, Expected([], (), ()))
            assert await reader.problems() == {}
            with psycopg.connect(database.owner_url, autocommit=True) as owner:
                name = owner.info.dbname
                owner.execute(f"ALTER DATABASE {name} SET client_min_messages = error")
            with psycopg.connect(database.app_url, autocommit=True) as login:
                login.execute(END_ALL)
            problems = await until_it_is_the_session(reader)
            assert problems["session"].startswith("client_min_messages is error and has to be warning")
        with capture_logs() as logs:
            async with make_pool(url, "ready", 1) as pool:
                await without_connections_until("client_min_messages", logs, pool)
                for _ in range(3):
                    with pytest.raises(PoolTimeout):
                        await pool.getconn(SOON_S)
                assert open_to(url) <= 1  # the attempt under way: who was refused has hung up
        assert any(f'ALTER ROLE "{LOGIN}" IN DATABASE "{name}"' in entry["reason"] for entry in logs)


async def until_it_is_the_session(reader: SchemaReader) -> Mapping[str, str]:
    async with asyncio.timeout(LIMIT_S):
        while True:
            problems = await reader.problems()
            if "session" in problems:
                return problems
            await asyncio.sleep(0.05)


def open_to(url: str) -> int:
    """How many connections of this process to that server nobody has closed."""
    alive = [found for found in gc.get_objects() if isinstance(found, AsyncConnection) and not found.closed]
    return sum(str(connection.info.port) == conninfo_to_dict(url)["port"] for connection in alive)


async def without_connections_until(said: str, logs: Sequence[MutableMapping[str, Any]], pool: Pool) -> None:
    """Ask for a connection, in vain, until it is said why: on a busy machine the pool's first attempt may take longer
    than whoever asks waits for it."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            with pytest.raises(PoolTimeout):
                await pool.getconn(SOON_S)
            if any(said in entry["reason"] for entry in logs):
                return


async def test_a_rule_that_lost_its_backslashes_is_named_with_what_mends_it(database: Urls) -> None:
    settings = load({"DATABASE_URL": database.app_url})
    await check_schema(settings)
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("SET standard_conforming_strings = off")
        (made,) = (path for path in FUNDS.folder.glob("0001.*.sql") if "rollback" not in path.name)
        (rule,) = (line for line in made.read_text().splitlines() if "wallet_balances_currency" in line)
        owner.execute("ALTER TABLE wallet_balances DROP CONSTRAINT wallet_balances_currency")
        owner.execute(f"ALTER TABLE wallet_balances ADD {rule.strip().rstrip(',')}".encode())
    with pytest.raises(CannotServe, match="currencies: all refused") as refused:
        await check_schema(settings)
    async with make_pool(database.app_url, "ready", 1) as pool:
        await pool.wait(LIMIT_S)
        assert list(await SchemaReader(pool, Expected([], (), ())).problems()) == ["currencies"]
        with psycopg.connect(database.owner_url, autocommit=True) as owner:
            owner.execute(str(refused.value).rpartition(": ")[2].encode())
        async with pool.connection() as connection:
            assert await misread(connection) == {}
