"""Nonces in PostgreSQL: each is good once, for its time, in its tenant."""

import asyncio
import re
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import psycopg
import pytest

from app.contexts.identity.adapters.postgres import nonces as nonces_module
from app.contexts.identity.adapters.postgres.nonces import PostgresNonces
from app.kernel.errors import Unavailable
from app.kernel.principal import TenantId
from app.main.local.roles import Urls
from app.platform.postgres import pool as pooling
from app.platform.postgres.pool import make_pool
from tests.pace import slow
from tests.plans import cost_of, plan_of
from tests.platform.peers import closed_port

TENANT, OTHER = TenantId(uuid4()), TenantId(uuid4())


@pytest.fixture
async def nonces(module_database: Urls) -> AsyncIterator[PostgresNonces]:
    pool = make_pool(module_database.app_url, "strongbox-test", 8)
    await pool.open(wait=True)
    yield PostgresNonces(pool)
    await pool.close()


def rows_of(urls: Urls, tenant_id: UUID) -> int:
    """How many nonces the tenant has, to somebody whom no policy holds up."""
    with psycopg.connect(urls.owner_url) as connection:
        connection.execute("SELECT set_config('app.current_tenant', %s, true)", (str(tenant_id),))
        row = connection.execute("SELECT count(*) FROM identity.nonces WHERE tenant_id = %s", (tenant_id,)).fetchone()
    assert row
    return int(row[0])


async def test_a_nonce_has_128_bits_of_letters_and_digits_and_no_other_is_the_same(nonces: PostgresNonces) -> None:
    given = [(await nonces.issue(TENANT, 300))[0] for _ in range(20)]
    assert len(set(given)) == 20
    assert all(re.fullmatch("[0-9a-f]{32}", nonce) for nonce in given)


async def test_it_is_good_once_and_tells_the_time(nonces: PostgresNonces) -> None:
    nonce, expires_at = await nonces.issue(TENANT, 300)
    now = await nonces.spend(TENANT, nonce)
    assert now is not None
    assert 300 - slow(5) < (expires_at - now).total_seconds() < 300
    assert await nonces.spend(TENANT, nonce) is None


async def test_of_fifty_at_once_one_spends_it(nonces: PostgresNonces) -> None:
    nonce, _ = await nonces.issue(TENANT, 300)
    spent = await asyncio.gather(*(nonces.spend(TENANT, nonce) for _ in range(50)))
    assert len([now for now in spent if now is not None]) == 1


async def test_it_is_of_its_tenant_and_another_does_not_even_spend_it(nonces: PostgresNonces) -> None:
    nonce, _ = await nonces.issue(TENANT, 300)
    assert await nonces.spend(OTHER, nonce) is None
    assert await nonces.spend(TENANT, nonce) is not None


async def test_when_its_time_is_over_it_is_spent_and_good_for_nothing(nonces: PostgresNonces) -> None:
    nonce, expires_at = await nonces.issue(TENANT, 0.05)
    while True:
        later, _ = await nonces.issue(OTHER, 300)
        now = await nonces.spend(OTHER, later)
        assert now is not None
        if now > expires_at:
            break
    assert await nonces.spend(TENANT, nonce) is None


async def test_one_that_was_never_given_out_is_none(nonces: PostgresNonces) -> None:
    assert await nonces.spend(TENANT, "a" * 32) is None
    assert await nonces.spend(TENANT, "a" * 60_000) is None


async def test_the_old_ones_go_with_new_ones(nonces: PostgresNonces, module_database: Urls) -> None:
    tenant = TenantId(uuid4())
    for _ in range(30):
        await nonces.issue(tenant, 0)
    await nonces.issue(tenant, 300)
    await nonces.issue(tenant, 300)
    assert rows_of(module_database, tenant) == 2


async def test_those_who_make_them_at_once_do_not_wait_for_one_another(nonces: PostgresNonces) -> None:
    tenant = TenantId(uuid4())
    for _ in range(20):
        await nonces.issue(tenant, 0.001)
    given = await asyncio.gather(*(nonces.issue(tenant, 300) for _ in range(50)))
    spent = await asyncio.gather(*(nonces.spend(tenant, nonce) for nonce, _ in given))
    assert None not in spent


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
def test_what_spends_and_sweeps_finds_its_rows_by_index(mode: str, module_database: Urls) -> None:
    tenant = uuid4()
    with psycopg.connect(module_database.owner_url, autocommit=True) as connection:
        connection.execute("SELECT set_config('app.current_tenant', %s, false)", (str(tenant),))
        connection.execute(
            "INSERT INTO identity.nonces SELECT %s, n::text, now() + interval '1 hour' FROM generate_series(1, 9999) n",
            (tenant,),
        )
        connection.execute("ANALYZE identity.nonces")
    for statement, values in ((nonces_module._SPEND, (tenant, "7")), (nonces_module._SWEEP, (tenant, tenant))):
        plan = plan_of(module_database.owner_url, mode, statement.text, values)
        assert "Seq Scan on nonces" not in plan, plan
        assert "Filter: (expires_at" not in plan, plan
        assert cost_of(plan) < 1_000, plan


async def test_without_a_database_it_cannot_be_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pooling, "WAIT_S", 1.0)
    pool = make_pool(f"postgresql://strongbox@127.0.0.1:{closed_port()}/none", "strongbox-test", 1)
    await pool.open()
    try:
        with pytest.raises(Unavailable):
            await PostgresNonces(pool).spend(TENANT, "a" * 32)
    finally:
        await pool.close()
