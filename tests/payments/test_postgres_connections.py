"""Connections that die, and sessions that may no longer write: no payment is lost, none made twice."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from app.contexts.payments.application.reserve import Reserved
from app.kernel.errors import Unavailable
from app.main.local.postgres import PostgresServer
from app.platform.postgres.lanes import Lane
from app.platform.postgres.pool import make_pool
from tests.builders import money
from tests.conftest import MakeDatabase
from tests.payments.conftest import PostgresHouse, open_house
from tests.payments.postgres_lanes import lanes_of

pytestmark = pytest.mark.usefixtures("patient_pools")

_END_THEM = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'contract' AND datname = current_database()
"""


async def end_all(house: PostgresHouse, postgres_url: str) -> None:
    """End every connection of the house's pool, from the server's side."""
    url = make_conninfo(postgres_url, dbname=house.owner.info.dbname)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as superuser:
        ended = await superuser.execute(_END_THEM)
        assert ended.rowcount >= 1


async def test_connections_that_died_unseen_cost_nobody_an_answer(
    postgres_house: PostgresHouse, postgres_url: str
) -> None:
    house = postgres_house
    request = await house.request()
    await end_all(house, postgres_url)
    assert isinstance(await lanes_of(house).submit(request), Reserved)
    await end_all(house, postgres_url)
    assert len(await house.reader.balances(request.user_id)) == 1


async def test_a_connection_lost_in_mid_batch_is_retried(postgres_house: PostgresHouse, postgres_url: str) -> None:
    house = postgres_house
    request = await house.request()
    async with house.owner.transaction():
        await house.owner.execute("LOCK TABLE payments IN SHARE MODE")
        under_way = asyncio.create_task(lanes_of(house).submit(request))
        await until_somebody_waits(house)
        await end_all(house, postgres_url)
    assert isinstance(await under_way, Reserved)
    assert await house.balance(request.user_id) == 9_000


_WAITING = """
    SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()
"""


async def until_somebody_waits(house: PostgresHouse) -> None:
    async with asyncio.timeout(60):
        while True:
            rows = await house.owner.execute(_WAITING)
            row = await rows.fetchone()
            if row and row[0]:
                return
            await asyncio.sleep(0.01)


async def test_a_session_that_may_no_longer_write_is_replaced(module_database: Any) -> None:
    """After a failover the old connections are good for reading only: keeping them would mean 503 for ever."""
    async with make_pool(module_database.app_url, "readonly", 1) as pool:
        await pool.wait()
        async with pool.connection() as connection:
            await connection.execute("SET default_transaction_read_only = on")
        owner = await psycopg.AsyncConnection.connect(module_database.owner_url, autocommit=True)
        async with owner:
            house = PostgresHouse(pool, owner)
            house_of_requests = PostgresHouse(make_pool(module_database.app_url, "other", 2), owner)
            async with house_of_requests.pool:
                await house_of_requests.pool.wait()
                request = await house_of_requests.request()
            assert isinstance(await lanes_of(house).submit(request), Reserved)


_GIVE_UP_WAITING = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


async def _commits_wait(superuser: psycopg.AsyncConnection, url: str) -> None:
    """Until the setting has reached the whole server: some write's COMMIT waits for the standby."""

    async def write_until_one_waits() -> None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            waited: list[object] = []
            connection.add_notice_handler(waited.append)
            while not waited:
                await connection.execute("SELECT pg_logical_emit_message(true, 'test', 'test')")

    writing = asyncio.create_task(write_until_one_waits())
    async with asyncio.timeout(60):
        while not writing.done():
            await superuser.execute(_GIVE_UP_WAITING)
            await asyncio.sleep(0.02)
    await writing


@pytest.fixture
async def mortal_house(make_mortal_database: MakeDatabase) -> AsyncIterator[PostgresHouse]:
    """The books on a server of one's own: its commits may be made to wait."""
    async with open_house(make_mortal_database()) as house:
        yield house


async def test_a_commit_whose_wait_for_a_standby_was_given_up_is_not_taken_for_one(
    mortal_house: PostgresHouse, mortal_postgres: PostgresServer
) -> None:
    """The COMMIT is answered, with a warning: it stands here only, and a failover could lose it."""
    house, postgres_url = mortal_house, mortal_postgres.url()
    request = await house.request(user_id=await house.funded(100), money=money(10))
    lane: Lane[Any, Any] = Lane(house.reserve, size=64, queue_limit=256, on_lost=house.pool.check)
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as superuser:

        async def standby(names: str) -> None:
            await superuser.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'".encode())
            await superuser.execute("SELECT pg_reload_conf()")

        # Whatever the role hands down: the warning has to come through.
        await house.owner.execute(f"ALTER DATABASE {house.owner.info.dbname} SET client_min_messages = error".encode())
        await house.owner.execute(f"ALTER DATABASE {house.owner.info.dbname} SET synchronous_commit = local".encode())
        await end_all(house, postgres_url)
        await standby("ghost")
        try:
            await _commits_wait(superuser, postgres_url)
            submitted = asyncio.create_task(lane.submit(request))
            async with asyncio.timeout(60):
                while not submitted.done():
                    await superuser.execute(_GIVE_UP_WAITING)
                    await asyncio.sleep(0.02)
            with pytest.raises(Unavailable):
                await submitted
        finally:
            await standby("")
            await house.owner.execute(f"ALTER DATABASE {house.owner.info.dbname} RESET ALL".encode())
    assert isinstance(await lane.submit(request), Reserved)
