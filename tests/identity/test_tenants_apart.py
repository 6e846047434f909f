"""No row of one tenant is shown to another, or changed by it: whatever a pooled connection did before."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import uuid4

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, QueryCanceled

from app.contexts.identity.adapters.postgres.tables import OF_A_TENANT
from app.contexts.identity.adapters.postgres.users import PostgresUsers
from app.contexts.identity.domain.account import NewUser
from app.contexts.identity.domain.refusals import UsernameTaken
from app.contexts.identity.domain.user import User
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.main.local.roles import Urls
from app.platform.postgres.pipeline import Statement, run
from app.platform.postgres.plans import make_planned_pool
from app.platform.postgres.pool import Pool, session
from app.platform.postgres.tenancy import TenantRows
from app.platform.process.uuid7 import uuid7
from tests.identity.people import Population
from tests.pgbouncer import pgbouncer

REQUESTS = 1_000
EVERYBODY = Statement("SELECT tenant_id FROM identity.users")
BROKEN = Statement("SELECT 1 / 0 FROM identity.users")
ENDLESS = Statement("SELECT pg_sleep(5)")


@pytest.fixture(scope="module")
async def houses(people: Population) -> list[User]:
    """Somebody of each of three tenants, all called the same."""
    names = ("apart-1", "apart-2", "apart-3")
    return [await people.add(name, username="same", email="same@example.org") for name in names]


@pytest.fixture(scope="module", params=["direct", "PgBouncer"])
async def single(
    request: pytest.FixtureRequest, module_database: Urls, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Pool]:
    """A pool of one connection; behind the pooler it has one session for all of them."""
    folder = tmp_path_factory.mktemp("pooler")
    folder.chmod(0o777)
    with pgbouncer(folder, module_database.app_url, sessions=1) as (through,):
        url = module_database.app_url if request.param == "direct" else through
        pool = make_planned_pool(url, "strongbox-test", 1)
        await pool.open(wait=True)
        try:
            yield pool
        finally:
            await pool.close()


async def test_a_thousand_requests_of_changing_tenants_over_one_connection_see_their_own(
    single: Pool, houses: list[User]
) -> None:
    """With errors and cancellations in between, and in transactions that are left half-way."""
    rows, chance = TenantRows(single), random.Random(16)
    users = PostgresUsers(rows, single, uuid7)
    foreign = 0
    for number in range(REQUESTS):
        user = chance.choice(houses)
        (seen,) = await rows.run(user.tenant_id, (EVERYBODY, ()))
        foreign += sum(tenant_id != user.tenant_id for (tenant_id,) in seen)
        assert seen
        (found,) = await users.called(user.tenant_id, [], ["same"])
        assert found.id == user.id
        await trouble(rows, user.tenant_id, number % 50)
    assert foreign == 0


async def trouble(rows: TenantRows, tenant_id: TenantId, kind: int) -> None:
    """What leaves a connection in the middle of something, now and then."""
    if kind == 10:
        with pytest.raises(psycopg.DataError):
            await rows.run(tenant_id, (BROKEN, ()))
    elif kind == 20:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await rows.run(tenant_id, (ENDLESS, ()))
    elif kind == 30:
        async with rows.open(tenant_id) as transaction:
            await transaction.begin((EVERYBODY, ()))
    elif kind == 40:
        with suppress(RuntimeError):
            async with rows.open(tenant_id) as transaction:
                await transaction.begin((EVERYBODY, ()))
                raise RuntimeError


async def test_whose_rows_they_were_is_forgotten_with_the_transaction(single: Pool, houses: list[User]) -> None:
    """Whoever has the session next, a stranger behind a pooler, sees nobody by what was said before."""
    rows = TenantRows(single)
    await rows.run(houses[0].tenant_id, (EVERYBODY, ()))
    async with session(single) as connection:
        assert await run(connection, [(EVERYBODY, ())]) == [[]]
    async with rows.open(houses[1].tenant_id) as transaction:
        await transaction.begin((EVERYBODY, ()))
        await transaction.commit([])
    async with session(single) as connection:
        assert await run(connection, [(EVERYBODY, ())]) == [[]]


async def test_two_at_a_time_never_mix_behind_one_session(single: Pool, houses: list[User]) -> None:
    rows = TenantRows(single)

    async def see(user: User) -> set[object]:
        (seen,) = await rows.run(user.tenant_id, (EVERYBODY, ()))
        return {tenant_id for (tenant_id,) in seen}

    for _ in range(50):
        assert await asyncio.gather(*map(see, houses)) == [{user.tenant_id} for user in houses]


@pytest.mark.parametrize("table", OF_A_TENANT)
@pytest.mark.parametrize("said", [None, "", "of another"])
def test_with_nothing_said_or_another_tenant_no_row_is_seen_changed_or_removed(
    people: Population, houses: list[User], module_database: Urls, table: str, said: str | None
) -> None:
    fill(people, houses[0])
    own = f"WHERE tenant_id = '{houses[0].tenant_id}'"
    ((there,),) = people.rows(f"SELECT count(*) FROM identity.{table} {own}")
    assert there
    with psycopg.connect(module_database.app_url, autocommit=True) as service:
        if said is not None:
            value = str(houses[1].tenant_id) if said else ""
            service.execute("SELECT set_config('app.current_tenant', %s, false)", [value])
        assert service.execute(f"SELECT count(*) FROM identity.{table} {own}".encode()).fetchone() == (0,)
        for change in (f"UPDATE identity.{table} SET {CHANGES[table]} {own}", f"DELETE FROM identity.{table} {own}"):
            with suppress(InsufficientPrivilege):  # not granted at all, for some
                assert service.execute(change.encode()).rowcount == 0
    assert people.rows(f"SELECT count(*) FROM identity.{table} {own}") == [(there,)]


CHANGES = {
    "users": "is_active = false",
    "nonces": "expires_at = now()",
    "families": "ended_at = now()",
    "refresh_tokens": "spent_at = now()",
    "sessions": "expires_at = now()",
    "clients": "is_active = false",
}


def fill(people: Population, user: User) -> None:
    """A row of the user's tenant in every table."""
    family, token = uuid4(), uuid4().bytes
    people.rows(
        "INSERT INTO identity.families (tenant_id, id, user_id, created_at, expires_at)"
        " VALUES (%s, %s, %s, now(), now())",
        *(user.tenant_id, family, user.id),
    )
    for table, columns, values in (
        ("nonces", "nonce, expires_at", "encode(%s, 'hex'), now()"),
        ("refresh_tokens", "token_hash, created_at", "%s, now()"),
        ("sessions", "token_hash, created_at, expires_at", "%s, now(), now()"),
    ):
        of_family = table != "nonces"
        people.rows(
            f"INSERT INTO identity.{table} (tenant_id, {'family_id, ' if of_family else ''}{columns})"
            f" VALUES (%s, {'%s, ' if of_family else ''}{values})",
            *((user.tenant_id, family, token) if of_family else (user.tenant_id, token)),
        )
    people.rows(
        "INSERT INTO identity.clients (tenant_id, id, name, secret_hash, scopes, created_at)"
        " VALUES (%s, %s, 'x', 'x', '{}', now())",
        *(user.tenant_id, uuid4()),
    )


@pytest.mark.parametrize("said", ["nothing", "another"])
def test_nobody_writes_a_row_for_a_tenant_that_they_did_not_name(
    people: Population, houses: list[User], module_database: Urls, said: str
) -> None:
    with psycopg.connect(module_database.app_url, autocommit=True) as service:
        if said == "another":
            service.execute("SELECT set_config('app.current_tenant', %s, false)", [str(houses[1].tenant_id)])
        insert = "INSERT INTO identity.users (tenant_id, id, role, created_at) VALUES (%s, %s, 'admin', now())"
        values = [houses[0].tenant_id, uuid4()]
        for ending in ("", " ON CONFLICT DO NOTHING"):
            with pytest.raises(InsufficientPrivilege):
                service.execute((insert + ending).encode(), values)
        # Nor by way of somebody's row that is there: what would conflict is not shown by being taken over.
        upsert = f"{insert} ON CONFLICT (tenant_id, id) DO UPDATE SET role = 'admin'"
        with pytest.raises(InsufficientPrivilege):
            service.execute(upsert.encode(), [houses[0].tenant_id, houses[0].id])
    assert people.rows("SELECT role FROM identity.users WHERE id = %s", houses[0].id) == [("customer",)]


def test_no_row_is_moved_to_another_tenant(people: Population, houses: list[User], module_database: Urls) -> None:
    with psycopg.connect(module_database.app_url, autocommit=True) as service:
        service.execute("SELECT set_config('app.current_tenant', %s, false)", [str(houses[0].tenant_id)])
        with pytest.raises(InsufficientPrivilege):
            service.execute("UPDATE identity.users SET tenant_id = %s", [houses[1].tenant_id])


def test_the_owner_of_the_tables_is_held_as_well(houses: list[User], module_database: Urls) -> None:
    with psycopg.connect(module_database.owner_url) as owner:
        for table in OF_A_TENANT:
            assert owner.execute(f"SELECT count(*) FROM identity.{table}".encode()).fetchone() == (0,)


async def test_an_id_of_another_tenants_is_none_of_ours(people: Population, houses: list[User]) -> None:
    ours, theirs = houses[:2]
    users = people.container.users()
    assert await users.by_id(ours.tenant_id, theirs.id) is None
    assert await users.some(ours.tenant_id, [ours.id, theirs.id]) == [ours]
    with pytest.raises(UsernameTaken):
        await users.add(ours.tenant_id, [NewUser(id=UserId(uuid4()), tenant_id=ours.tenant_id, username="same")])


async def test_rows_that_say_another_tenant_than_the_one_named_are_refused(
    people: Population, houses: list[User]
) -> None:
    mixed = [NewUser(id=UserId(uuid4()), tenant_id=houses[1].tenant_id, username="smuggled")]
    with pytest.raises(InsufficientPrivilege):
        await people.container.users().add(houses[0].tenant_id, mixed)


async def test_what_takes_too_long_ends_and_the_next_one_is_another_tenants(single: Pool, houses: list[User]) -> None:
    rows = TenantRows(single)
    limited = Statement("SELECT set_config('statement_timeout', '10', true)")
    with pytest.raises(QueryCanceled):
        await rows.run(houses[0].tenant_id, (limited, ()), (ENDLESS, ()))
    (seen,) = await rows.run(houses[1].tenant_id, (EVERYBODY, ()))
    assert {tenant_id for (tenant_id,) in seen} == {houses[1].tenant_id}
