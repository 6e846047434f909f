"""Reserve, take, give back, forbid: each once, and all or none."""

import asyncio
from uuid import uuid4

import pytest

from app.contexts.catalog.public import (
    Line,
    OutOfStock,
    ProductId,
    ReservationForbidden,
    ReservationReused,
    Reserved,
    ReservedLine,
)
from app.kernel.money import Currency
from tests.builders import user_id
from tests.catalog.stocking import SELLER, TENANT, Stocks, lines, name_of, operation


async def test_what_is_reserved_is_so_as_it_was_offered(stocks: Stocks) -> None:
    one, two = sorted([await stocks.product(5), await stocks.product(7, price=30)])
    reserved = await stocks.desk.reserve(operation(), TENANT, user_id(), lines({two: 2, one: 1}))
    assert isinstance(reserved, Reserved)
    prices = dict(await stocks.all("SELECT id, price FROM catalog.products WHERE id = ANY(%s)", [one, two]))
    assert reserved.lines == [
        ReservedLine(product, qty, SELLER, f"a thing {product}", prices[product], Currency("USD"))
        for product, qty in ((one, 1), (two, 2))
    ]
    assert (await stocks.stands(one))[1:] == (1, 0, 2)
    assert (await stocks.stands(two))[1:] == (2, 0, 2)


async def test_all_of_it_is_reserved_or_none_and_what_is_missing_is_told(stocks: Stocks) -> None:
    enough, few, away = await stocks.product(5), await stocks.product(1), await stocks.product(9, is_active=False)
    gone, unknown = await stocks.product(9, is_deleted=True), ProductId(uuid4())
    wanted = lines({enough: 5, few: 2, away: 1, gone: 1, unknown: 1})
    refused = await stocks.desk.reserve(operation(), TENANT, user_id(), wanted)
    assert isinstance(refused, OutOfStock)
    assert refused.available == {few: 1, away: 0, gone: 0, unknown: 0}
    assert await stocks.stands(enough) == (5, 0, 0, 1)
    assert await stocks.stands(few) == (1, 0, 0, 1)


async def test_the_same_again_has_the_same_outcome(stocks: Stocks) -> None:
    product, buyer = await stocks.product(3), user_id()
    made, refused = operation(), operation()
    first = await stocks.desk.reserve(made, TENANT, buyer, lines({product: 2}))
    assert await stocks.desk.reserve(made, TENANT, buyer, lines({product: 2})) == first
    out = await stocks.desk.reserve(refused, TENANT, buyer, lines({product: 2}))
    await stocks.desk.give_back(TENANT, made)
    again = await stocks.desk.reserve(refused, TENANT, buyer, lines({product: 2}))
    assert isinstance(out, OutOfStock)
    assert isinstance(again, OutOfStock)
    assert out.available == again.available == {product: 1}
    assert await stocks.stands(product) == (3, 0, 0, 3)


async def test_the_same_operation_with_another_content_is_refused(stocks: Stocks) -> None:
    product, buyer, of = await stocks.product(9), user_id(), operation()
    await stocks.desk.reserve(of, TENANT, buyer, lines({product: 2}))
    for asked in (
        stocks.desk.reserve(of, TENANT, buyer, lines({product: 3})),
        stocks.desk.reserve(of, TENANT, None, lines({product: 2})),
        stocks.desk.reserve(of, TENANT, buyer, lines({product: 2}), pinned=True),
    ):
        assert isinstance(await asked, ReservationReused)
    same = operation()
    both = [stocks.desk.reserve(same, TENANT, buyer, lines({product: n})) for n in (1, 2)]
    assert [*map(name_of, await asyncio.gather(*both))] == ["Reserved", "ReservationReused"]
    assert await stocks.stands(product) == (9, 3, 0, 3)


async def test_what_is_taken_leaves_the_stock_and_counts_as_bought(stocks: Stocks) -> None:
    product, buyer, of = await stocks.product(5), user_id(), operation()
    await stocks.desk.reserve(of, TENANT, buyer, lines({product: 2}))
    await stocks.desk.take(TENANT, of)
    await stocks.desk.take(TENANT, of)
    assert await stocks.stands(product) == (3, 0, 2, 3)
    bought = "SELECT buyer_id FROM catalog.purchases WHERE product_id = %s"
    assert await stocks.all(bought, product) == [(buyer,)]
    nobodys = operation()
    await stocks.desk.reserve(nobodys, TENANT, None, lines({product: 1}), pinned=True)
    await stocks.desk.take(TENANT, nobodys)
    assert await stocks.all(bought, product) == [(buyer,)]


async def test_the_same_bought_twice_is_one_purchase_with_the_newer_time(stocks: Stocks) -> None:
    product, buyer = await stocks.product(5), user_id()
    times = []
    for _ in range(2):
        of = operation()
        await stocks.desk.reserve(of, TENANT, buyer, lines({product: 1}))
        await stocks.desk.take(TENANT, of)
        times += await stocks.all("SELECT purchased_at FROM catalog.purchases WHERE buyer_id = %s", buyer)
    assert len(times) == 2
    assert times[0] < times[1]


async def test_what_was_bought_and_given_back_was_not_bought(stocks: Stocks) -> None:
    one, two, buyer, of = await stocks.product(5), await stocks.product(5), user_id(), [operation(), operation()]
    bought = "SELECT product_id, times FROM catalog.purchases WHERE buyer_id = %s ORDER BY product_id"
    for each in of:
        await stocks.desk.reserve(each, TENANT, buyer, lines({one: 1, two: 2}))
        await stocks.desk.take(TENANT, each)
    assert await stocks.all(bought, buyer) == sorted([(one, 2), (two, 2)])
    for _ in range(2):
        await stocks.desk.give_back(TENANT, of[0], [one])
    assert await stocks.all(bought, buyer) == sorted([(one, 1), (two, 2)])
    await asyncio.gather(*(stocks.desk.give_back(TENANT, each) for each in of))
    assert await stocks.all(bought, buyer) == []


async def test_what_was_reserved_or_taken_is_given_back_once(stocks: Stocks) -> None:
    one, two, of = await stocks.product(5), await stocks.product(5), operation()
    await stocks.desk.reserve(of, TENANT, None, lines({one: 1, two: 2}))
    for _ in range(2):
        await stocks.desk.give_back(TENANT, of, [one])
    assert [(await stocks.stands(each))[:3] for each in (one, two)] == [(5, 0, 0), (5, 2, 0)]
    await stocks.desk.take(TENANT, of)
    assert [(await stocks.stands(each))[:3] for each in (one, two)] == [(5, 0, 0), (3, 0, 2)]
    for _ in range(2):
        await stocks.desk.give_back(TENANT, of)
    assert [await stocks.stands(each) for each in (one, two)] == [(5, 0, 0, 3), (5, 0, 0, 4)]
    with pytest.raises(LookupError):
        await stocks.desk.take(TENANT, of)
    again = await stocks.desk.reserve(of, TENANT, None, lines({one: 1, two: 2}))
    assert isinstance(again, ReservationForbidden)


async def test_what_is_not_there_is_neither_taken_nor_given_back(stocks: Stocks) -> None:
    product, other, of, refused, forbidden = await stocks.product(1), await stocks.product(1), *map(operation, "abc")
    await stocks.desk.reserve(of, TENANT, None, lines({product: 1}))
    await stocks.desk.reserve(refused, TENANT, None, lines({product: 1}))
    await stocks.desk.forbid(TENANT, forbidden)
    for missing in (operation(), refused, forbidden):
        with pytest.raises(LookupError):
            await stocks.desk.take(TENANT, missing)
        with pytest.raises(LookupError):
            await stocks.desk.give_back(TENANT, missing)
    with pytest.raises(LookupError):
        await stocks.desk.give_back(TENANT, of, [product, other])
    assert await stocks.stands(product) == (1, 1, 0, 2)


async def test_what_was_forbidden_never_happens_and_what_has_happened_stays(stocks: Stocks) -> None:
    product, forbidden, made, refused = await stocks.product(2), operation(), operation(), operation()
    assert isinstance(await stocks.desk.forbid(TENANT, forbidden), ReservationForbidden)
    asked = await stocks.desk.reserve(forbidden, TENANT, None, lines({product: 1}))
    assert isinstance(asked, ReservationForbidden)
    reserved = await stocks.desk.reserve(made, TENANT, None, lines({product: 1}))
    assert await stocks.desk.forbid(TENANT, made) == reserved
    await stocks.desk.take(TENANT, made)
    assert await stocks.desk.forbid(TENANT, made) == reserved
    await stocks.desk.reserve(refused, TENANT, None, lines({product: 2}))
    assert isinstance(await stocks.desk.forbid(TENANT, refused), ReservationForbidden)
    await stocks.desk.give_back(TENANT, made)
    assert isinstance(await stocks.desk.forbid(TENANT, made), ReservationForbidden)


@pytest.mark.parametrize("wanted", [[], [0], [-1], [2**63], [1, 1]])
async def test_what_no_reservation_is_is_told_before_anything_happens(stocks: Stocks, wanted: list[int]) -> None:
    product = await stocks.product(5)
    with pytest.raises(ValueError, match=r"a line is of|a reservation"):
        await stocks.desk.reserve(operation(), TENANT, None, [Line(product, qty) for qty in wanted])


async def test_offers_are_of_what_there_is(stocks: Stocks) -> None:
    product, gone, away = (
        await stocks.product(5),
        await stocks.product(5, is_deleted=True),
        await stocks.product(5, is_active=False),
    )
    await stocks.desk.reserve(operation(), TENANT, None, lines({product: 2}))
    offered = await stocks.offers.offers(TENANT, [product, gone, away, ProductId(uuid4())])
    assert {each: offer.available for each, offer in offered.items()} == {product: 3, away: 0}
    assert offered[product].title == f"a thing {product}"
