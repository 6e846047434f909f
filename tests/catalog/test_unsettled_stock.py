"""What operators are told of the stock before it hurts: by gauges of recovery's."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry

from app.contexts.catalog.adapters.metrics.stock import StockWatch
from app.contexts.catalog.adapters.postgres.unsettled import UNSETTLED, PostgresUnsettledStock
from app.contexts.catalog.application.watch_stock import Unsettled
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.main.local.roles import Urls
from app.platform.people import House
from app.platform.postgres.plans import make_planned_pool
from app.platform.postgres.tenancy import TenantRows
from tests.builders import user_id
from tests.catalog.stocking import Stocks, lines, operation
from tests.plans import plan_of


@pytest.fixture
async def unsettled(module_database: Urls) -> AsyncIterator[PostgresUnsettledStock]:
    async with make_planned_pool(module_database.app_url, "watching", 1) as pool:
        await pool.wait()
        yield PostgresUnsettledStock(TenantRows(pool), pool)


@pytest.fixture
def tenant() -> TenantId:
    """One of a test's own."""
    return TenantId(uuid4())


async def test_what_is_reserved_is_counted_until_it_is_settled_and_what_is_pinned_is_not(
    stocks: Stocks, unsettled: PostgresUnsettledStock, tenant: TenantId
) -> None:
    product, other = await stocks.product(9, tenant=tenant), await stocks.product(9, tenant=tenant)
    taken, returned = operation(), operation()
    await stocks.desk.reserve(taken, tenant, user_id(), lines({product: 2, other: 1}))
    await stocks.desk.reserve(returned, tenant, user_id(), lines({product: 1}))
    await stocks.desk.reserve(operation(), tenant, None, lines({other: 1}), pinned=True)
    await aged(stocks, returned.business_id, 90)
    found = await unsettled.unsettled([tenant, TenantId(uuid4())])
    assert (found.reserved, found.disagreeing, 90 <= found.oldest_reserved_s < 900) == (3, 0, True)
    await stocks.desk.give_back(tenant, returned)
    found = await unsettled.unsettled([tenant])
    assert (found.reserved, found.oldest_reserved_s < 90) == (2, True)
    await stocks.desk.take(tenant, taken)
    assert (await unsettled.unsettled([tenant])).reserved == 0


async def test_that_the_database_has_hung_up_is_no_reason_not_to_look(
    stocks: Stocks, unsettled: PostgresUnsettledStock, tenant: TenantId
) -> None:
    before = await unsettled.unsettled([tenant])
    hang_up = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = %s"
    )
    assert (True,) in await stocks.all(hang_up, "watching")  # of a test before a session may be there yet
    assert await unsettled.unsettled([tenant]) == before


async def test_a_product_that_does_not_agree_with_its_reservations_is_counted(
    stocks: Stocks, unsettled: PostgresUnsettledStock, tenant: TenantId
) -> None:
    product = await stocks.product(9, tenant=tenant)
    await stocks.desk.reserve(operation(), tenant, user_id(), lines({product: 2}))
    correct = "UPDATE catalog.products SET reserved = %s WHERE id = %s RETURNING id"
    await stocks.all(correct, 1, product)
    assert (await unsettled.unsettled([tenant])).disagreeing == 1
    await stocks.all(correct, 2, product)
    assert (await unsettled.unsettled([tenant])).disagreeing == 0


async def test_notes_that_nobody_has_confirmed_are_counted_with_the_oldest_ones_age(
    stocks: Stocks, unsettled: PostgresUnsettledStock, tenant: TenantId
) -> None:
    await stocks.all(
        "INSERT INTO catalog.cache_deletions (tenant_id, id, keys, created_at)"
        " SELECT %s, gen_random_uuid(), ARRAY['product:1'], now() - n * interval '1 min' FROM generate_series(0, 2) n"
        " RETURNING id",
        tenant,
    )
    found = await unsettled.unsettled([tenant])
    assert (found.notes, 120 <= found.oldest_note_s < 900) == (3, True)


async def test_gauges_show_it_and_look_no_more_often_than_it_costs_little() -> None:
    registry, looks = CollectorRegistry(), list[Sequence[TenantId]]()

    class Seen:
        async def unsettled(self, tenants: Sequence[TenantId]) -> Unsettled:
            looks.append(tenants)
            return Unsettled(1, 2.0, 3, 4, 5.0)

    class Two:
        async def tenants(self) -> Sequence[House]:
            return [House(TenantId(uuid4()), UserId(uuid4())) for _ in range(2)]

    two: Any = Two()
    watch = StockWatch(Seen(), two, registry)
    for _ in range(3):
        await watch.look()
    assert [len(tenants) for tenants in looks] == [2]
    names = (
        "reservations", "reservations_oldest_age_seconds", "stock_disagreements", "cache_deletions",
        "cache_deletions_oldest_age_seconds",
    )  # fmt: skip
    assert [registry.get_sample_value(f"strongbox_{name}") for name in names] == [1, 2, 3, 4, 5]


async def test_what_was_settled_long_ago_is_not_read_for_it(
    stocks: Stocks, module_database: Urls, tenant: TenantId
) -> None:
    product = await stocks.product(1, tenant=tenant)
    await stocks.settle_many(tenant, product, "RETURNED")
    plan = plan_of(module_database.app_url, "force_generic_plan", UNSETTLED.text, [tenant] * 4)
    assert "reservation_lines_reserved" in plan
    assert "Seq Scan on reservation" not in plan, plan


async def aged(stocks: Stocks, business: object, seconds: int) -> None:
    """Make a reservation older."""
    query = "UPDATE catalog.reservations SET created_at = created_at - %s * interval '1 s' WHERE business_id = %s"
    await stocks.all(f"{query} RETURNING 1", seconds, business)
