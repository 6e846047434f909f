"""No reservation of one tenant sees, moves or forbids anything of another's, over one connection or behind a pooler."""

import asyncio
import random
from collections.abc import AsyncIterator

import psycopg
import pytest

from app.contexts.catalog.adapters.postgres.tables import OF_A_TENANT
from app.contexts.catalog.public import ProductId
from app.kernel.principal import TenantId
from app.main.local.roles import Urls
from tests.builders import user_id
from tests.catalog.stocking import OTHER_TENANT, TENANT, Stocks, lines, name_of, open_stocks, operation
from tests.pgbouncer import pgbouncer

ROUNDS = 60


@pytest.fixture(params=["direct", "PgBouncer"])
async def single(
    request: pytest.FixtureRequest, module_database: Urls, superuser_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stocks]:
    """The stock over one connection; behind the pooler two of them have one session."""
    folder = tmp_path_factory.mktemp("pooler")
    folder.chmod(0o777)
    with pgbouncer(folder, module_database.app_url, sessions=1) as (through,):
        direct = request.param == "direct"
        url = module_database.app_url if direct else through
        async with open_stocks(url, superuser_url, connections=1 if direct else 2) as stocks:
            yield stocks
            assert await stocks.offenders() == []


async def test_reservations_of_changing_tenants_over_one_connection_move_their_own_stock(single: Stocks) -> None:
    """Each tenant asks for its own product and for the other's, which is none of its."""
    products = {tenant: await single.product(10_000, tenant=tenant) for tenant in (TENANT, OTHER_TENANT)}
    chance = random.Random(17)
    sold = dict.fromkeys(products, 0)

    async def one(tenant: TenantId, product: ProductId) -> str:
        of = operation()
        outcome = await single.desk.reserve(of, tenant, user_id(), lines({product: 1}))
        if product != products[tenant]:
            with pytest.raises(LookupError):
                await single.desk.take(tenant, of)
            return name_of(outcome)
        other = next(each for each in products if each != tenant)
        with pytest.raises(LookupError):
            await single.desk.give_back(other, of)
        await single.desk.take(tenant, of)
        sold[tenant] += 1
        return name_of(outcome)

    for _ in range(ROUNDS):
        asked = [(chance.choice([*products]), chance.choice([*products.values()])) for _ in range(4)]
        outcomes = await asyncio.gather(*(one(*each) for each in asked))
        assert outcomes == ["Reserved" if products[tenant] == product else "OutOfStock" for tenant, product in asked]
    assert all(sold.values())
    for tenant, product in products.items():
        assert (await single.stands(product))[:3] == (10_000 - sold[tenant], 0, sold[tenant])


async def test_offers_are_of_ones_own_tenant(single: Stocks) -> None:
    ours, theirs = await single.product(1), await single.product(2, tenant=OTHER_TENANT)
    assert {*await single.offers.offers(TENANT, [ours, theirs])} == {ours}
    assert {*await single.offers.offers(OTHER_TENANT, [ours, theirs])} == {theirs}


async def test_what_a_prohibition_forbids_is_its_own_tenants(single: Stocks) -> None:
    of, product = operation(), await single.product(3, tenant=OTHER_TENANT)
    await single.desk.forbid(TENANT, of)
    assert name_of(await single.desk.reserve(of, OTHER_TENANT, None, lines({product: 1}))) == "Reserved"
    assert name_of(await single.desk.forbid(OTHER_TENANT, of)) == "Reserved"
    assert name_of(await single.desk.forbid(TENANT, of)) == "ReservationForbidden"


async def test_with_nothing_said_no_row_is_seen(single: Stocks, module_database: Urls) -> None:
    product, of = await single.product(3), operation()
    await single.desk.reserve(of, TENANT, user_id(), lines({product: 1}))
    await single.desk.take(TENANT, of)
    for url in module_database:
        async with await psycopg.AsyncConnection.connect(url) as somebody:
            for table in OF_A_TENANT:
                seen = await somebody.execute(f"SELECT count(*) FROM catalog.{table}".encode())
                assert await seen.fetchone() == (0,)
