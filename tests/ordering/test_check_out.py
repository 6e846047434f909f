"""Checking out, in process, over a real database, with the real stock and the real funds."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from app.platform.idempotency.keys import Answered
from tests.ordering.fates import Death, Fate
from tests.ordering.market import Market, code_of, market_over, sorted_codes, try_out
from tests.ordering.verified import offenders


@pytest.fixture(scope="module")
async def market(module_database: Urls, postgres_server: PostgresServer) -> AsyncIterator[Market]:
    async with market_over(module_database, postgres_server) as opened:
        yield opened
        assert await offenders(opened) == []


async def test_a_cart_becomes_one_paid_order_a_seller(market: Market) -> None:
    lamp, chair = await market.product(3), await market.product(5, price=400)
    buyer = await market.buyer(10_000, {lamp: 2, chair: 1})
    fate = Fate()
    result = await try_out(market.here.check_out(fate), market.request(buyer, 2_900))
    assert code_of(result) == "paid"
    assert fate.calls == ["begin", "reserve", "place", "together", "take", "conclude"]
    assert sorted(await market.orders(buyer)) == [("paid", 400), ("paid", 2_500)]
    assert (await market.stands(lamp), await market.stands(chair)) == ((1, 0, 2), (4, 0, 1))
    assert await market.wallet(buyer) == (7_100, 2_900)
    assert await market.events(buyer) == [("order.paid", 1)] * 2
    assert await market.cart(buyer) == [("checked_out", True)]
    again = await try_out(market.here.check_out(), market.request(buyer, 2_900))
    assert isinstance(result, Answered)
    assert again == Answered(result.answer, replayed=True)


async def test_a_cart_without_anything_in_it_is_refused_for_good(market: Market) -> None:
    buyer = await market.buyer()
    assert code_of(await try_out(market.here.check_out(), market.request(buyer, 0))) == "CART_EMPTY"
    await market.fill(buyer, {await market.product(): 1})
    await market.pay_in(buyer, 2_000)
    again = await try_out(market.here.check_out(), market.request(buyer, 0))
    assert (code_of(again), isinstance(again, Answered) and again.replayed) == ("CART_EMPTY", True)
    assert code_of(await try_out(market.here.check_out(), market.request(buyer, 1_250, "another"))) == "paid"


@pytest.mark.parametrize(
    ("quantity", "balance", "total", "code"),
    [
        (1, 0, 1, "OUT_OF_STOCK"),
        (2, 0, 2_499, "PRICE_CHANGED"),
        (2, 2_499, 2_500, "INSUFFICIENT_FUNDS"),
        (2, 0, 2_500, "INSUFFICIENT_FUNDS"),
    ],
)
async def test_a_refusal_comes_in_the_order_of_the_page_and_leaves_all_as_it_was(
    market: Market, quantity: int, balance: int, total: int, code: str
) -> None:
    lamp = await market.product(quantity)
    buyer = await market.buyer(balance, {lamp: 2})
    result = await try_out(market.here.check_out(), market.request(buyer, total))
    assert code_of(result) == code
    assert await market.stands(lamp) == (quantity, 0, 0)
    assert await market.wallet(buyer) == (balance, 0)
    assert await market.cart(buyer) == [("active", False)]
    assert {status for status, _ in await market.orders(buyer)} <= {"cancelled"}
    assert await market.events(buyer) == []
    await market.pay_in(buyer, 10_000)
    assert isinstance(result, Answered)
    assert await try_out(market.here.check_out(), market.request(buyer, total)) == Answered(
        result.answer, replayed=True
    )


async def test_what_is_missing_of_several_orders_is_told_of_all_together(market: Market) -> None:
    lamp, chair = await market.product(), await market.product()
    buyer = await market.buyer(2_000, {lamp: 1, chair: 1})
    result = await try_out(market.here.check_out(), market.request(buyer, 2_500))
    assert isinstance(result, Answered)
    assert b'"current_balance":2000' in result.answer.body
    assert b'"amount":2500' in result.answer.body


async def test_a_product_of_another_currency_is_not_to_be_had(market: Market) -> None:
    lamp = await market.product()
    buyer = await market.buyer(2_000, {lamp: 1})
    await market.all("UPDATE catalog.products SET currency = 'EUR' WHERE id = %s", lamp)
    assert code_of(await try_out(market.here.check_out(), market.request(buyer, 1_250))) == "OUT_OF_STOCK"
    assert await market.stands(lamp) == (3, 0, 0)


async def test_five_hundred_buyers_of_five_pieces_get_five(market: Market) -> None:
    lamp = await market.product(5)
    buyers = [await market.buyer(1_250, {lamp: 1}) for _ in range(500)]
    there = await market.process()
    processes = [market.here.check_out(), there.check_out()]
    results = await asyncio.gather(
        *(try_out(processes[n % 2], market.request(buyer, 1_250)) for n, buyer in enumerate(buyers))
    )
    assert sorted_codes(results) == {"paid": 5, "OUT_OF_STOCK": 495}
    assert await market.stands(lamp) == (0, 0, 5)
    held = await market.all("SELECT count(*) FROM wallet_balances WHERE user_id = ANY(%s) AND held > 0", buyers)
    assert held == [(5,)]


async def test_many_at_once_share_their_transactions(market: Market) -> None:
    there = await market.process()
    buyers = [await market.buyer(1_250, {await market.product(): 1}) for _ in range(64)]
    check_out = there.check_out()
    results = await asyncio.gather(*(try_out(check_out, market.request(buyer, 1_250)) for buyer in buyers))
    assert sorted_codes(results) == {"paid": 64}
    registry = there.container.registry()
    for step in ("begin_checkout", "place_orders", "conclude_checkout"):
        assert registry.get_sample_value("strongbox_batch_size_sum", {"step": step}) == 64
        batches = registry.get_sample_value("strongbox_batch_size_count", {"step": step})
        assert batches is not None
        assert batches <= 16


async def test_two_requests_with_one_cart_are_one_checkout(market: Market) -> None:
    lamp = await market.product(9)
    buyer = await market.buyer(10_000, {lamp: 1})
    there = await market.process()
    same = await asyncio.gather(
        *(
            try_out(process.check_out(), market.request(buyer, 1_250, key))
            for process in (market.here, there)
            for key in ("key", "other", "key")
        )
    )
    codes = sorted_codes(same)
    assert codes["paid"] >= 1
    assert set(codes) <= {"paid", "IDEMPOTENCY_IN_PROGRESS", "CHECKOUT_IN_PROGRESS", "CART_EMPTY"}
    assert await market.stands(lamp) == (8, 0, 1)
    assert await market.wallet(buyer) == (8_750, 1_250)


PATHS = {
    "paid": (2_500, 2_500, ["begin", "reserve", "place", "together", "take", "conclude"]),
    "OUT_OF_STOCK": (2_500, 2_500, ["begin", "reserve", "conclude"]),
    "PRICE_CHANGED": (2_500, 2_499, ["begin", "reserve", "give_back", "conclude"]),
    "INSUFFICIENT_FUNDS": (2_499, 2_500, ["begin", "reserve", "place", "together", "give_back", "conclude"]),
}
DEATHS = [
    (code, at, behind) for code, (*_, calls) in PATHS.items() for at in range(len(calls)) for behind in (False, True)
]


@pytest.mark.parametrize(("code", "at", "behind"), DEATHS)
async def test_whoever_comes_later_finishes_what_a_death_left(market: Market, code: str, at: int, behind: bool) -> None:
    balance, total, calls = PATHS[code]
    left = 1 if code == "OUT_OF_STOCK" else 2
    lamp = await market.product(left)
    buyer = await market.buyer(balance, {lamp: 2})
    with pytest.raises(Death):
        await market.here.check_out(Fate(at, behind=behind))(market.request(buyer, total), 1e12)
    there = await market.process()
    await there.recover()
    assert await market.all("SELECT FROM ordering.checkouts WHERE status = 'pending' AND user_id = %s", buyer) == []
    is_paid = code == "paid" and (at, behind) >= (calls.index("together"), True)
    assert await market.stands(lamp) == ((0, 0, 2) if is_paid else (left, 0, 0))
    assert await market.wallet(buyer) == ((0, 2_500) if is_paid else (balance, 0))
    assert await market.cart(buyer) == ([("checked_out", True)] if is_paid else [("active", False)])
    stored = await market.key(buyer)
    result = await try_out(market.here.check_out(), market.request(buyer, total))
    assert code_of(result) == code
    if stored:
        assert isinstance(result, Answered)
        assert (stored, result.replayed) == ([(result.answer.status, result.answer.body)], True)
    assert {status for status, _ in await market.orders(buyer)} <= ({"paid", "cancelled"})
    assert (await market.events(buyer)) == ([("order.paid", 1)] if code == "paid" else [])
