"""What only PostgreSQL can show: locks, limits, privileges, round trips."""

import asyncio
from contextlib import closing
from typing import Any

import pytest
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.contexts.payments.adapters.postgres.books import PostgresBooks
from app.contexts.payments.application.reserve import Reserved
from app.contexts.payments.application.settle import Settlement
from app.contexts.payments.domain.outcome import Declined
from app.kernel.ids import UserId
from app.main.local.roles import Urls
from app.platform.postgres.lanes import HeldElsewhere
from app.platform.postgres.pool import make_pool
from tests.builders import again, money
from tests.payments.conftest import PostgresHouse, open_house
from tests.payments.postgres_lanes import lanes_of
from tests.system.crash.proxy import Proxy

pytestmark = pytest.mark.usefixtures("patient_pools")


async def test_batches_that_cross_do_not_deadlock(module_database: Urls) -> None:
    """Two directions over the same wallets, reserving and settling at once, each batch in its own order."""
    async with open_house(module_database, lock_timeout=60_000) as house:
        users = [await house.funded(1_000_000) for _ in range(6)]
        await _cross(house, users)
        assert [await house.balance(user) for user in users] == [1_000_000] * len(users)


async def _cross(house: PostgresHouse, users: list[UserId]) -> None:
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

    async with asyncio.timeout(300):
        await asyncio.gather(batches(1, "there"), batches(-1, "back"))


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


async def test_a_wallet_held_by_someone_else_costs_only_its_own_user(module_database: Urls) -> None:
    """Whoever waits for it does so for long enough that even a busy machine serves another meanwhile."""
    async with open_house(module_database, lock_timeout=3_000) as house:
        await _held_by_someone_else(house)


async def _held_by_someone_else(house: PostgresHouse) -> None:
    held, *others = [await house.request() for _ in range(8)]
    lanes = lanes_of(house)
    async with house.owner.transaction():
        await house.owner.execute("SELECT * FROM wallet_balances WHERE user_id = %s FOR UPDATE", (held.user_id,))
        results = await asyncio.gather(*(lanes.submit(request) for request in (held, *others)), return_exceptions=True)
        assert isinstance(results[0], HeldElsewhere)
        assert all(isinstance(result, Reserved) for result in results[1:])
        aside = asyncio.create_task(lanes.submit(again(held)))
        async with asyncio.timeout(60):
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
        await pool.wait()
        async with pool.connection() as connection:
            connection.prepare_threshold = None
            await connection.execute("SET lock_timeout = 0")
        async with house.owner.transaction(), asyncio.timeout(60):
            await house.owner.execute("SELECT * FROM wallet_balances WHERE user_id = %s FOR UPDATE", (request.user_id,))
            with pytest.raises(errors.LockNotAvailable):
                async with PostgresBooks(pool).begin() as work:
                    await work.claim([request])


async def test_reserving_settling_and_funding_take_two_round_trips_each(
    module_database: Any, postgres_house: PostgresHouse
) -> None:
    said: list[bytes] = []

    def note(chunk: bytes) -> list[str]:
        said.append(chunk)
        return []

    server = conninfo_to_dict(module_database.app_url)
    with closing(Proxy(int(server["port"] or 0), lambda: note)) as proxy:
        async with make_pool(make_conninfo(module_database.app_url, port=proxy.port), "counted", 1) as pool:
            await pool.wait()
            house = PostgresHouse(pool, postgres_house.owner)
            trips: list[tuple[str, int]] = []
            for _ in range(2):  # statements are prepared with the first
                request = await postgres_house.request()
                for step in ("fund", "reserve", "settle"):
                    said.clear()
                    match step:
                        case "fund":
                            await house.fund(request.user_id, money(1), None)
                        case "reserve":
                            (reserved,) = await house.reserve([request])
                        case _:
                            assert isinstance(reserved, Reserved)
                            await house.settle([Settlement(reserved.payment, Declined("NO"))])
                    trips.append((step, len(said)))
    assert trips[3:] == [("fund", 2), ("reserve", 2), ("settle", 2)]
