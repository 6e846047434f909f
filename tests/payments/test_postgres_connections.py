"""What only PostgreSQL can show: locks, limits, privileges, lost connections."""

import asyncio
from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo

from app.adapters.postgres.books import PostgresBooks
from app.adapters.postgres.lanes import HeldElsewhere, Lane, Lanes
from app.adapters.postgres.pool import make_pool
from app.application.payments.reserve import Reserved
from app.application.payments.settle import Settlement
from app.application.ports import Unavailable
from app.domain.payments.provider import Declined
from tests.builders import again, money
from tests.contract.conftest import PostgresHouse


def lanes_of(house: PostgresHouse) -> Lanes[Any, Any]:
    def lane() -> Lane[Any, Any]:
        return Lane(house.reserve, size=64, queue_limit=256, on_lost=house.pool.check)

    return Lanes(lambda request: request.user_id, lane(), lane())


async def test_batches_that_cross_do_not_deadlock(postgres_house: PostgresHouse) -> None:
    """Two directions over the same wallets, reserving and settling at once, each batch in its own order."""
    house = postgres_house
    users = [await house.funded(1_000_000) for _ in range(6)]
    provider = await house.add_provider()

    async def batches(direction: int, name: str) -> None:
        for n in range(40):
            requests = [
                await house.request(user_id=user, provider_id=provider, key=f"{name}-{n}", money=money(1))
                for user in users[::direction]
            ]
            results = await house.reserve(requests)
            payments = [result.payment for result in results if isinstance(result, Reserved)]
            assert len(payments) == len(users)
            await house.settle([Settlement(payment, Declined("NO")) for payment in reversed(payments)])

    async with asyncio.timeout(60):
        await asyncio.gather(batches(1, "there"), batches(-1, "back"))
    assert [await house.balance(user) for user in users] == [1_000_000] * len(users)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET amount = 1",
        "DELETE FROM ledger_entries",
        "TRUNCATE ledger_entries",
        "DELETE FROM payments",
        "DELETE FROM transactions",
        "DELETE FROM wallet_balances",
        "ALTER TABLE payments ADD COLUMN x int",
        "CREATE TABLE x (y int)",
    ],
)
async def test_the_services_role_may_not(postgres_house: PostgresHouse, statement: str) -> None:
    async with postgres_house.pool.connection() as connection:
        with pytest.raises(errors.InsufficientPrivilege):
            await connection.execute(statement.encode())


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


async def test_a_wallet_held_by_someone_else_costs_only_its_own_user(postgres_house: PostgresHouse) -> None:
    house = postgres_house
    held, *others = [await house.request() for _ in range(8)]
    lanes = lanes_of(house)
    async with house.owner.transaction():
        await house.owner.execute("SELECT * FROM wallet_balances WHERE user_id = %s FOR UPDATE", (held.user_id,))
        results = await asyncio.gather(*(lanes.submit(request) for request in (held, *others)), return_exceptions=True)
        assert isinstance(results[0], HeldElsewhere)
        assert all(isinstance(result, Reserved) for result in results[1:])
        aside = asyncio.create_task(lanes.submit(again(held)))
        async with asyncio.timeout(5):
            while lanes._aside._began_at is None:  # noqa: ASYNC110 -- nothing tells of it
                await asyncio.sleep(0.001)
        result = await lanes.submit(again(others[0], key="meanwhile"))
        assert isinstance(result, Reserved)
        assert not aside.done(), "it waited for a wallet that it has nothing to do with"
        with pytest.raises(HeldElsewhere):
            await aside
    assert isinstance(await lanes.submit(held), Reserved)
    await lanes.drain()


async def test_in_a_session_that_is_not_its_own_a_transaction_brings_its_limits(
    module_database: Any, postgres_house: PostgresHouse
) -> None:
    house = postgres_house
    request = await house.request()
    async with make_pool(module_database.app_url, "shared", 1) as pool:
        async with pool.connection() as connection:
            connection.prepare_threshold = None
            await connection.execute("SET lock_timeout = 0")
        async with house.owner.transaction(), asyncio.timeout(30):
            await house.owner.execute("SELECT * FROM wallet_balances WHERE user_id = %s FOR UPDATE", (request.user_id,))
            with pytest.raises(errors.LockNotAvailable):
                async with PostgresBooks(pool).begin() as work:
                    await work.claim([request])


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


async def until_somebody_waits(house: PostgresHouse) -> None:
    async with asyncio.timeout(30):
        while True:
            rows = await house.owner.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
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
    async with asyncio.timeout(30):
        while not writing.done():
            await superuser.execute(_GIVE_UP_WAITING)
            await asyncio.sleep(0.02)
    await writing


async def test_a_commit_whose_wait_for_a_standby_was_given_up_is_not_taken_for_one(
    postgres_house: PostgresHouse, postgres_url: str
) -> None:
    """The COMMIT is answered, with a warning: it stands here only, and a failover could lose it."""
    house = postgres_house
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
            async with asyncio.timeout(30):
                while not submitted.done():
                    await superuser.execute(_GIVE_UP_WAITING)
                    await asyncio.sleep(0.02)
            with pytest.raises(Unavailable):
                await submitted
        finally:
            await standby("")
            await house.owner.execute(f"ALTER DATABASE {house.owner.info.dbname} RESET ALL".encode())
    assert isinstance(await lane.submit(request), Reserved)
