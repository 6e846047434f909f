"""Many at once: a batch decides each command on its own, waits for nobody crosswise, and tells the cache."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace

import psycopg
import pytest

from app.contexts.catalog.adapters.postgres.stock import PostgresStockRoom
from app.contexts.catalog.application.move_stock import MoveStock
from app.contexts.catalog.application.settling import GiveBack, Settling, Take
from app.contexts.catalog.application.stock_room import Changes
from app.contexts.catalog.domain.refusals import ReservationNotFound
from app.contexts.catalog.domain.reservation import Reservation
from app.contexts.catalog.public import OutOfStock, ProductId, ReservationForbidden, Reserved
from app.kernel.principal import TenantId
from app.platform.postgres.batching import BATCH
from app.platform.postgres.errors import NotReplicated
from app.platform.postgres.pipeline import Call
from app.platform.postgres.tenancy import TenantRows, TenantTransaction
from tests.builders import user_id
from tests.catalog.stocking import OTHER_TENANT, TENANT, Forgotten, Stocks, lines, name_of, operation

BUYERS, PIECES = 500, 5


def asked(wanted: dict[ProductId, int], tenant: TenantId = TENANT) -> Reservation:
    """A buyer's reservation."""
    return Reservation(operation(), tenant, user_id(), tuple(lines(wanted)))


async def test_five_of_five_hundred_buyers_get_one_of_five_pieces_and_the_others_hear_how_many_are_left(
    stocks: Stocks,
) -> None:
    product, batches = await stocks.product(PIECES), Counter[int]()
    desks = [stocks.make_desk(lambda size, _: batches.update([size])) for _ in range(2)]
    operations = [operation() for _ in range(BUYERS)]
    outcomes = await asyncio.gather(*(
        desks[n % 2].reserve(of, TENANT, user_id(), lines({product: 1})) for n, of in enumerate(operations)
    ))  # fmt: skip
    reserved = [of for of, outcome in zip(operations, outcomes, strict=True) if isinstance(outcome, Reserved)]
    refused = [outcome.available for outcome in outcomes if isinstance(outcome, OutOfStock)]
    assert (len(reserved), len(refused)) == (PIECES, BUYERS - PIECES)
    assert all(available == {product: 0} for available in refused)
    assert sum(batches.values()) <= 2 * (BUYERS // 2 // BATCH + 2)
    await asyncio.gather(*(stocks.desk.take(TENANT, of) for of in reserved))
    assert await stocks.stands(product) == (0, 0, PIECES, 1 + 2 * PIECES)


async def test_each_of_a_batch_gets_what_those_before_it_have_left(stocks: Stocks) -> None:
    one, two = await stocks.product(5), await stocks.product(5)
    wanted = [{one: 3}, {one: 3, two: 1}, {one: 2, two: 5}, {two: 1}, {one: 1}]
    outcomes = await stocks.move([asked(each) for each in wanted])
    left = [outcome.available if isinstance(outcome, OutOfStock) else None for outcome in outcomes]
    assert left == [None, {one: 2}, None, {two: 0}, {one: 0}]
    assert [await stocks.stands(each) for each in (one, two)] == [(5, 5, 0, 3), (5, 5, 0, 2)]


async def test_one_batch_with_the_same_operation_twice_does_it_once(stocks: Stocks) -> None:
    product = await stocks.product(9)
    first = asked({product: 2})
    another = replace(first, lines=tuple(lines({product: 3})))
    outcomes = await stocks.move([first, replace(first), another])
    assert [*map(name_of, outcomes)] == ["Reserved", "Reserved", "ReservationReused"]
    assert outcomes[0] == outcomes[1]
    again = await stocks.move([another, first])
    assert [*map(name_of, again)] == ["ReservationReused", "Reserved"]
    take, back = Take(TENANT, first.operation), GiveBack(TENANT, first.operation)
    settled = await stocks.move([take, take, back, back, take])
    assert settled[:4] == [None] * 4
    assert isinstance(settled[4], ReservationNotFound)
    assert await stocks.stands(product) == (9, 0, 0, 4)


async def test_a_batch_of_two_tenants_is_two_transactions_each_over_its_own_rows(stocks: Stocks) -> None:
    ours, theirs = await stocks.product(3), await stocks.product(3, tenant=OTHER_TENANT)
    batch = [asked({ours: 1}), asked({theirs: 1}, OTHER_TENANT), asked({theirs: 1}), asked({ours: 1}, OTHER_TENANT)]
    outcomes = await stocks.move(batch)
    assert [*map(name_of, outcomes)] == ["Reserved", "Reserved", "OutOfStock", "OutOfStock"]
    settled = await stocks.move([
        Take(TENANT, batch[0].operation), Take(OTHER_TENANT, batch[1].operation), Take(OTHER_TENANT, batch[0].operation)
    ])  # fmt: skip
    assert [*map(name_of, settled)] == ["NoneType", "NoneType", "ReservationNotFound"]
    assert [(await stocks.stands(each))[:3] for each in (ours, theirs)] == [(2, 0, 1)] * 2


async def test_an_operation_of_another_tenant_is_another_operation(stocks: Stocks) -> None:
    ours, theirs = await stocks.product(3), await stocks.product(3, tenant=OTHER_TENANT)
    first = asked({ours: 1})
    second = Reservation(first.operation, OTHER_TENANT, None, tuple(lines({theirs: 2})))
    assert [*map(name_of, await stocks.move([first, second]))] == ["Reserved", "Reserved"]
    assert isinstance(await stocks.desk.forbid(OTHER_TENANT, first.operation), Reserved)


@pytest.mark.parametrize("is_first", [True, False], ids=["from the first", "from the second"])
@pytest.mark.parametrize("way", ["reserve", "take"])
async def test_products_are_locked_in_the_order_of_their_keys_whatever_is_asked_first(
    stocks: Stocks, superuser_url: str, way: str, *, is_first: bool
) -> None:
    def key(product_id: ProductId) -> tuple[int, ProductId]:
        return product_id.int % 16, product_id

    first, second = sorted([await stocks.product(5) for _ in range(2)], key=key)
    reservation = asked({first: 1, second: 1} if is_first else {second: 1, first: 1})
    if way == "take":
        await stocks.move([reservation])
    lock = "SELECT FROM catalog.products WHERE id = %s FOR UPDATE"
    async with await psycopg.AsyncConnection.connect(superuser_url) as other:
        await other.execute(lock, [first])
        asking = reservation if way == "reserve" else Take(TENANT, reservation.operation)
        task = asyncio.ensure_future(stocks.move([asking]))
        await stocks.somebody_waits()
        await other.execute(f"{lock} NOWAIT".encode(), [second])  # whoever waits for the first does not have it
    await task


async def test_forbidding_waits_for_a_reservation_under_way(stocks: Stocks) -> None:
    product = await stocks.product(5)
    for is_committed, expected in ((True, Reserved), (False, ReservationForbidden)):
        reservation = asked({product: 1})
        async with stocks.room.begin(TENANT) as work:
            found = await work.find([reservation], [])
            forbidding = asyncio.create_task(stocks.desk.forbid(TENANT, reservation.operation))
            await stocks.somebody_waits()
            assert not forbidding.done()
            if is_committed:
                line = found.piles[product].reserve(1)
                await work.commit(Changes([found.piles[product]], [(reservation.operation, line)]))
        assert isinstance(await forbidding, expected)


async def test_a_reservation_waits_for_its_prohibition_under_way(stocks: Stocks, superuser_url: str) -> None:
    product = await stocks.product(5)
    reservation = asked({product: 1})
    of = reservation.operation
    insert = (
        "INSERT INTO catalog.reservations (tenant_id, bucket, business_id, context, name, forbidden, created_at)"
        " VALUES (%s, %s, %s, %s, %s, true, now())"
    )
    async with await psycopg.AsyncConnection.connect(superuser_url) as other:
        await other.execute(insert, [TENANT, of.business_id.int % 16, of.business_id, of.context, of.name])
        reserving = asyncio.ensure_future(stocks.move([reservation]))
        await stocks.somebody_waits()
        assert not reserving.done()
    assert [*map(name_of, await reserving)] == ["ReservationForbidden"]
    assert await stocks.stands(product) == (5, 0, 0, 1)


async def test_what_changed_is_forgotten_and_the_pages_where_something_is_there_or_not_now(stocks: Stocks) -> None:
    product, other = await stocks.product(2), await stocks.product(9)
    key, keys = f"product:{product}", stocks.forgotten.keys
    first, second = asked({product: 1}), asked({product: 1, other: 1})
    await stocks.move([first])
    await stocks.move([second, asked({product: 1})])
    await stocks.move([Take(TENANT, first.operation)])
    await stocks.move([GiveBack(TENANT, first.operation)])
    await stocks.move([asked({product: 2})])
    await stocks.move([Take(TENANT, second.operation), Take(TENANT, operation())])
    both = {key, f"product:{other}"}
    expected = [{key}, {*both, "products:generation"}, {key}, {key, "products:generation"}, both]
    assert keys == [(TENANT, frozenset(each)) for each in expected]
    noted = await stocks.all("SELECT keys FROM catalog.cache_deletions WHERE %s = ANY(keys) ORDER BY id", key)
    assert [{*each} for (each,) in noted] == expected


class Losing(TenantRows):
    """Its COMMITs happen, and nobody hears of it."""

    @asynccontextmanager
    async def open(self, tenant_id: TenantId) -> AsyncIterator[TenantTransaction]:
        async with super().open(tenant_id) as transaction:
            commit = transaction.commit

            async def lost(calls: Iterable[Call]) -> None:
                await commit(calls)
                raise NotReplicated

            transaction.commit = lost
            yield transaction


async def test_of_an_unknown_commit_all_is_forgotten_too_and_of_none_nothing(stocks: Stocks) -> None:
    product, forgotten = await stocks.product(2), Forgotten()
    async with PostgresStockRoom(TenantRows(stocks.pool), forgotten).begin(TENANT) as work:
        await work.find([asked({product: 1})], [])
    assert forgotten.keys == []
    reservation = asked({product: 1})
    with pytest.raises(NotReplicated):
        await MoveStock(PostgresStockRoom(Losing(stocks.pool), forgotten))([reservation])
    assert forgotten.keys == [(TENANT, frozenset({f"product:{product}"}))]
    assert [*map(name_of, await stocks.move([reservation]))] == ["Reserved"]
    assert await stocks.stands(product) == (2, 1, 0, 2)


async def test_a_batch_that_is_run_again_comes_to_the_same(stocks: Stocks) -> None:
    product = await stocks.product(3)
    batch = [asked({product: n}) for n in (2, 2, 1)]
    move = MoveStock(stocks.room)
    first = await move(batch)
    again = await move(batch)
    assert [*map(name_of, first)] == [*map(name_of, again)] == ["Reserved", "OutOfStock", "Reserved"]
    settling: list[Settling] = [Take(TENANT, batch[0].operation), GiveBack(TENANT, batch[2].operation)]
    assert await move(settling) == await move(settling) == [None, None]
    assert await stocks.stands(product) == (1, 0, 2, 5)
