"""Statements in one round trip: values as psycopg would send them, errors as psycopg would raise them."""

import asyncio
import os
import socket
import string
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.contexts.payments.adapters.postgres.books import PostgresBooks
from app.contexts.payments.adapters.postgres.rows import LOCK_PAYMENTS
from app.main.local.roles import Urls
from app.platform.postgres import plans as postgres_plans
from app.platform.postgres.errors import Fault, fault
from app.platform.postgres.pipeline import Call, Statement, run
from app.platform.postgres.plans import make_planned_pool
from tests.builders import payment
from tests.payments.conftest import PostgresHouse
from tests.platform.outbox_fixtures import eventually
from tests.system.crash.proxy import Proxy

ONE = Statement("SELECT 1")
FAIL = Statement("SELECT 1 / 0")
TWICE = Statement("SELECT %b::bigint, %b::text")
PREPARED = Statement("SELECT name FROM pg_prepared_statements ORDER BY name")

VALUES: dict[str, list[Any]] = {
    "bigint": [0, -1, 2**63 - 1, -(2**63), None],
    "float8": [0.0, -1.5, 1e300, float("inf"), None],
    "smallint": [0, -(2**15), 2**15 - 1, None],
    "boolean": [True, False, None],
    "bytea": [b"", b"\x00\xff" * 1000, None],
    "text": ["", string.printable, '\u20ac \U0001f4b6 NULL \\ " { }', "NULL", None],
    "timestamptz": [
        datetime(2000, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=45))),
        None,
    ],
    "uuid": [UUID(int=0), UUID(int=2**128 - 1), uuid4(), None],
}


@pytest.fixture
async def connection(module_database: Urls) -> AsyncIterator[AsyncConnection]:
    async with await AsyncConnection.connect(module_database.app_url, autocommit=True) as opened:
        yield opened


async def test_sessions_bound_what_they_wait_for(postgres_house: PostgresHouse) -> None:
    limits = {}
    async with postgres_house.pool.connection() as connection:
        for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "plan_cache_mode"):
            row = await (await connection.execute(f"SHOW {name}".encode())).fetchone()
            assert row is not None
            limits[name] = row[0]
    assert limits == {
        "lock_timeout": "500ms",
        "statement_timeout": "5s",
        "idle_in_transaction_session_timeout": "5s",
        "plan_cache_mode": "force_custom_plan",
    }


@pytest.mark.parametrize("type_name", VALUES)
async def test_values_arrive_as_they_are(connection: AsyncConnection, type_name: str) -> None:
    values = VALUES[type_name]
    array, empty = Statement(f"SELECT %b::{type_name}[]"), Statement(f"SELECT cardinality(%b::{type_name}[])")
    scalar = Statement(f"SELECT %b::{type_name}")

    rows = await run(connection, [(array, (values,)), (empty, ([],)), *((scalar, (value,)) for value in values)])

    assert rows == [[(values,)], [(0,)], *([(value,)] for value in values)]


async def test_the_first_that_fails_is_raised_and_nothing_behind_it_runs(connection: AsyncConnection) -> None:
    begin, create = Statement("BEGIN"), Statement("CREATE TEMP TABLE never (n int)")
    with pytest.raises(psycopg.errors.DivisionByZero):
        await run(connection, [(begin, ()), (FAIL, ()), (create, ())])
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR
    await connection.rollback()
    assert await run(connection, [(ONE, ())]) == [[(1,)]], "the connection goes on"
    assert await run(connection, [(Statement("SELECT to_regclass('pg_temp.never')::text"), ())]) == [[(None,)]]


async def test_a_statement_is_prepared_once_a_connection(connection: AsyncConnection) -> None:
    for _ in range(2):
        await run(connection, [(TWICE, (1, "a")), (TWICE, (2, "b"))])
    (names,) = await run(connection, [(PREPARED, ())])
    assert sorted(names) == sorted([(TWICE.name.decode(),), (PREPARED.name.decode(),)])


async def test_one_whose_preparation_failed_is_prepared_the_next_time(connection: AsyncConnection) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        await run(connection, [(FAIL, ()), (TWICE, (1, "a"))])
    assert await run(connection, [(TWICE, (1, "a"))]) == [[(1, "a")]]


async def test_one_that_was_prepared_behind_an_answer_that_cannot_be_read_is_known(connection: AsyncConnection) -> None:
    beyond = Statement("SELECT 'infinity'::timestamptz")
    with pytest.raises(psycopg.DataError):
        await run(connection, [(beyond, ()), (TWICE, (1, "a"))])
    assert await run(connection, [(TWICE, (1, "a"))]) == [[(1, "a")]]


async def test_a_connection_whose_statements_somebody_dropped_is_closed_and_counts_as_lost(
    connection: AsyncConnection,
) -> None:
    await run(connection, [(ONE, ())])
    await connection.execute("DEALLOCATE ALL")
    with pytest.raises(psycopg.errors.InvalidSqlStatementName) as raised:
        await run(connection, [(ONE, ())])
    assert connection.closed
    assert fault(raised.value) is Fault.LOST


async def test_what_the_socket_cannot_take_at_once_is_sent_as_well(connection: AsyncConnection) -> None:
    """The server is busy while the last command is handed over: its rest stays behind, and nobody says a word."""
    with socket.socket(fileno=os.dup(connection.fileno())) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
    calls: list[Call] = [
        (Statement("SELECT 1 FROM pg_sleep(0.05)"), ()),
        (Statement("SELECT length(%b::bytea)"), (bytes(4_000_000),)),
    ]
    async with asyncio.timeout(60):
        assert await run(connection, calls) == [[(1,)], [(4_000_000,)]]


async def test_all_statements_of_a_round_trip_leave_with_one_write(module_database: Urls) -> None:
    """Each write wakes the server."""
    written: list[bytes] = []

    def note(chunk: bytes) -> list[str]:
        written.append(chunk)
        return []

    server = conninfo_to_dict(module_database.app_url)
    with closing(Proxy(int(server["port"] or 0), lambda: note)) as proxy:
        url = make_conninfo(module_database.app_url, port=proxy.port)
        async with await AsyncConnection.connect(url, autocommit=True) as connection:
            calls: list[Call] = [(TWICE, (n, "a" * 100)) for n in range(20)]
            await run(connection, calls)
            written.clear()
            await run(connection, calls)
            assert len(written) == 1


async def test_texts_are_utf_8_whatever_the_environment_says(
    module_database: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    async with make_planned_pool(module_database.app_url, "encoding", 1) as pool:
        await pool.wait()
        async with pool.connection() as connection:
            assert await run(connection, [(Statement("SELECT char_length(%b::text)"), ("\u20ac",))]) == [[(1,)]]


async def test_behind_a_pooler_nothing_is_prepared(connection: AsyncConnection) -> None:
    connection.prepare_threshold = None
    assert await run(connection, [(TWICE, (1, "a")), (PREPARED, ())]) == [[(1, "a")], []]


async def test_a_connection_that_was_interrupted_in_mid_exchange_is_closed(connection: AsyncConnection) -> None:
    sleeping = asyncio.create_task(run(connection, [(Statement("SELECT pg_sleep(60)"), ())]))
    await eventually(lambda: connection.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE)
    sleeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeping
    assert connection.closed


async def test_a_server_that_is_gone_is_an_operational_error(
    module_database: Urls, connection: AsyncConnection
) -> None:
    sleeping = asyncio.create_task(run(connection, [(Statement("SELECT pg_sleep(60)"), ())]))
    terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND query LIKE '%%pg_sleep%%'"
    with psycopg.connect(module_database.app_url, autocommit=True) as other:
        await eventually(lambda: other.execute(terminate, [connection.info.backend_pid]).fetchone() is not None)
    with pytest.raises(psycopg.OperationalError):
        await sleeping
    assert connection.closed


@pytest.mark.parametrize(("plans_last_s", "node"), [(0.0, "Index Scan"), (3600.0, "Seq Scan")])
async def test_a_plan_made_while_tables_were_small_is_not_kept(
    database: Urls, monkeypatch: pytest.MonkeyPatch, plans_last_s: float, node: str
) -> None:
    """With plans that last it would be kept: then the test shows what the books are spared."""
    monkeypatch.setattr(postgres_plans, "PLANS_LAST_S", plans_last_s)
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("ALTER TABLE payments SET (autovacuum_enabled = false)")  # else it may have all plan anew
    pool = make_planned_pool(database.app_url, "plans", 1)
    async with pool:
        await pool.wait()
        books = PostgresBooks(pool)

        async def work() -> None:
            async with books.begin() as work:
                await work.hold([payment()], [])

        await work()
        with psycopg.connect(database.owner_url, autocommit=True) as owner:
            owner.execute(
                "INSERT INTO payments (user_id, id, transaction_id, idempotency_key, provider_id, external_reference,"
                "                      amount, currency, status, created_at)"
                " SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'k', gen_random_uuid(), 'r',"
                "        1, 'USD', 'PENDING', now() FROM generate_series(1, 20000)"
            )
        await work()
        name = LOCK_PAYMENTS.name.decode()
        async with pool.connection() as connection:
            rows = await connection.execute(f"EXPLAIN EXECUTE {name} ('{{}}', '{{}}')".encode())
            plan = "\n".join([line for (line,) in await rows.fetchall()])
    assert f"{node} using payments_pkey on payments" in plan or f"{node} on payments" in plan, plan
