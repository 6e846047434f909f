"""Carts and orders, the catalogue and money in three databases: a checkout is one all the same, and verify sees it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from app.contexts.ordering.context import ORDERING
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.main.contexts import load
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from app.main.verification import checks
from app.platform.operations.verify import verify
from app.platform.people import House
from app.platform.postgres.evidence import Database, lanes
from tests.ordering.fates import Death, Fate
from tests.ordering.market import CONTEXTS, Market, code_of, market_over, try_out


@dataclass
class Apart:
    """The market, whose carts and orders, and whose products, are elsewhere than its money."""

    market: Market
    catalog: Market
    ordering: Market
    settings: dict[str, str]

    async def offenders(self) -> dict[str, int]:
        """What the whole of verify finds, by check."""
        settings = load(self.settings | {"DATABASE_URL": self.market.urls.app_url}, {})
        async with AsyncExitStack() as stack:
            trail = Database("DATABASE_URL", settings.database_url)
            notes: list[str] = []
            found = await lanes(checks(settings), trail, stack, notes.append, lambda *_: None, lambda _: None)
            findings = await verify(found, lambda *_: None)
        assert {"orders_and_holds_agree", "orders_and_stock_agree"} <= {finding.name for finding in findings}
        return {finding.name: finding.offences for finding in findings if not finding.holds}


@pytest.fixture(scope="module")
async def apart(make_fresh_database: Callable[[], Urls], postgres_server: PostgresServer) -> AsyncIterator[Apart]:
    homes = [make_fresh_database() for _ in range(3)]
    settings = {
        "CONTEXTS": f"identity,{CONTEXTS}",
        "CATALOG_DATABASE_URL": homes[1].app_url,
        "ORDERING_DATABASE_URL": homes[2].app_url,
        "MARKET_FEE_BP": "100",
    }
    async with AsyncExitStack() as stack:
        market, catalog, ordering = [
            await stack.enter_async_context(market_over(urls, postgres_server)) for urls in homes
        ]
        ((tenant, house),) = await market.all("SELECT id, house_user_id FROM identity.tenants")
        for each in (market, catalog, ordering):
            each.people.tenant = TenantId(tenant)
            each.people.houses = [House(TenantId(tenant), UserId(house))]
        market.here = await market.process(**settings)
        yield Apart(market, catalog, ordering, settings)


async def test_a_checkout_over_three_databases_is_whole(apart: Apart) -> None:
    lamp = await apart.catalog.product(3)
    buyer = await apart.market.buyer(2_500)
    await apart.ordering.fill(buyer, {lamp: 2})
    result = await try_out(apart.market.here.check_out(), apart.market.request(buyer, 2_500))
    assert code_of(result) == "paid"
    assert await apart.catalog.stands(lamp) == (1, 0, 2)
    assert await apart.market.wallet(buyer) == (0, 2_500)
    assert await apart.ordering.orders(buyer) == [("paid", 2_500)]
    assert len(await apart.ordering.key(buyer)) == 1
    assert await apart.market.key(buyer) == []
    assert await apart.offenders() == {}


async def test_what_dies_in_between_is_seen_and_finished(apart: Apart) -> None:
    lamp = await apart.catalog.product(3)
    buyer = await apart.market.buyer(2_500)
    await apart.ordering.fill(buyer, {lamp: 2})
    with pytest.raises(Death):
        await apart.market.here.check_out(Fate(3, behind=True))(apart.market.request(buyer, 2_500), 1e12)
    assert await apart.offenders() == {}, "it is under way"
    await apart.market.here.recover()
    assert await apart.catalog.stands(lamp) == (1, 0, 2)
    assert await apart.offenders() == {}
    await apart.catalog.all("UPDATE catalog.reservation_lines SET status = 'RETURNED' WHERE product_id = %s", lamp)
    await apart.market.all("UPDATE holds SET amount = amount + 1 WHERE user_id = %s", buyer)
    found = await apart.offenders()
    assert (found["orders_and_stock_agree"], found["orders_and_holds_agree"]) == (1, 1)


async def test_keys_that_are_not_in_the_database_of_funds_are_forgotten_by_ordering(apart: Apart) -> None:
    buyer = await apart.market.buyer()
    assert code_of(await try_out(apart.market.here.check_out(), apart.market.request(buyer, 0))) == "CART_EMPTY"
    await apart.ordering.all("UPDATE v1_idempotency_keys SET finalized_at = finalized_at - interval '25 h'")
    assert ORDERING.serving is not None
    async with ORDERING.serving(apart.market.here.container), asyncio.timeout(60):
        while await apart.ordering.key(buyer):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
