"""Ordering's part of `strongbox recover`, wired as in the product, and what its metrics show."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.contexts.ordering.context import ORDERING
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.ordering.fates import Death, Fate
from tests.ordering.market import Market, code_of, market_over, try_out


@pytest.fixture(scope="module")
async def market(module_database: Urls, postgres_server: PostgresServer) -> AsyncIterator[Market]:
    async with market_over(module_database, postgres_server) as opened:
        yield opened


async def test_what_is_half_done_is_seen_and_finished(market: Market) -> None:
    there, buyer = await market.process(RECOVER_EVERY_S="0.05"), await market.buyer(2_500, {await market.product(): 2})
    with pytest.raises(Death):
        await market.here.check_out(Fate(3, behind=True))(market.request(buyer, 2_500), 1e12)
    registry = there.container.registry()
    assert ORDERING.recovery is not None
    recovery = ORDERING.recovery(there.container, market.people.ports)

    def sample(name: str, **labels: str) -> float | None:
        value: float | None = registry.get_sample_value(name, labels)
        return value

    async with recovery.around as looks:
        for look in looks:
            await look()
        assert sample("strongbox_pending_checkouts") == 1
        assert (sample("strongbox_pending_checkouts_oldest_age_seconds") or 0) > 0
        stop = asyncio.Event()
        (work,) = recovery.works
        working = asyncio.create_task(work(stop))
        await market.all(
            "UPDATE ordering.checkouts SET created_at = created_at - interval '16 s' WHERE user_id = %s", buyer
        )
        async with asyncio.timeout(300):
            while await market.orders(buyer) != [("paid", 2_500)]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        stop.set()
        await working
        for look in looks:
            await look()
    assert sample("strongbox_pending_checkouts") == 0
    assert sample("strongbox_open_closings") == 0
    assert sample("strongbox_checkouts_total", outcome="paid") == 1
    assert sample("strongbox_ordering_recovery_attempts_total", kind="checkout", result="done") == 1
    assert code_of(await try_out(market.here.check_out(), market.request(buyer, 2_500))) == "paid"


async def test_without_people_there_are_no_tenants_to_look_at(market: Market) -> None:
    assert ORDERING.recovery is not None
    recovery = ORDERING.recovery((await market.process()).container, None)
    async with recovery.around:
        assert recovery.works == ()


async def test_checkouts_are_counted_by_what_became_of_them(market: Market) -> None:
    there, lamp = await market.process(), await market.product(1)
    for balance, wanted, total, code in (
        (0, {}, 0, "CART_EMPTY"),
        (0, {lamp: 2}, 2_500, "OUT_OF_STOCK"),
        (0, {lamp: 1}, 1, "PRICE_CHANGED"),
        (1, {lamp: 1}, 1_250, "INSUFFICIENT_FUNDS"),
    ):
        buyer = await market.buyer(balance, wanted)
        for _ in range(2):
            assert code_of(await try_out(there.check_out(), market.request(buyer, total))) == code
        outcome = {"outcome": code.lower()}
        assert there.container.registry().get_sample_value("strongbox_checkouts_total", outcome) == 1
