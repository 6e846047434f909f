"""Orders of what was sold elsewhere."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from app.contexts.catalog.public import Line, ProductId, Reserved, ReservedLine
from app.contexts.funds.public import Done, HoldId, HoldRef
from app.contexts.ordering.application.closing_steps import Start
from app.contexts.ordering.domain.order import Closing
from app.contexts.ordering.public import Sales
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.operation_id import OperationId
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.ordering.market import Market, market_over
from tests.ordering.verified import offenders

USD = Currency("USD")


@pytest.fixture(scope="module")
async def market(module_database: Urls, postgres_server: PostgresServer) -> AsyncIterator[Market]:
    async with market_over(module_database, postgres_server, MARKET_FEE_BP="1000") as opened:
        yield opened
        assert await offenders(opened) == []


async def sold(market: Market) -> tuple[OperationId, UserId, ReservedLine, HoldRef]:
    """A lamp that was sold at an auction: the stock has given it out, and it is paid for by a hold."""
    lamp, buyer = ProductId(await market.product(1, price=1)), await market.buyer(900)
    stock, funds = market.here.container.catalog.stock(), market.here.container.funds.funds()
    operation = OperationId("auctions", uuid4(), "sale")
    reserved = await stock.reserve(operation, market.tenant, None, [Line(lamp, 1)], pinned=True)
    assert isinstance(reserved, Reserved)
    await stock.take(market.tenant, operation)
    bid = OperationId("auctions", operation.business_id, "bid")
    held = await funds.hold(bid, market.tenant, buyer, Money(900, USD), None)
    assert isinstance(held, Done)
    line = ReservedLine(lamp, 1, reserved.lines[0].seller_id, "a lamp", 900, USD)
    return operation, buyer, line, HoldRef(buyer, USD, HoldId(held.ids[0]))


def sales_of(market: Market) -> Sales:
    sales: Sales = market.here.container.sales(directory=market.people)
    return sales


async def test_a_sale_is_one_order_however_often_it_is_told(market: Market) -> None:
    operation, buyer, line, hold = await sold(market)
    sales = sales_of(market)
    made = await asyncio.gather(*(sales.order_from_sale(operation, market.tenant, buyer, line, hold) for _ in range(4)))
    assert made == [await sales.order_from_sale(operation, market.tenant, buyer, line, hold)] * 4
    query = "SELECT status, total, fee, hold_id, seller_id FROM ordering.orders WHERE user_id = %s"
    assert await market.all(query, buyer) == [("paid", 900, 90, hold.id, line.seller_id)]
    assert await market.events(buyer) == [("order.paid", 1)]


async def test_an_order_of_a_sale_is_shipped_and_cancelled_as_any(market: Market) -> None:
    for closing, stands in ((Closing.SHIP, (0, 0, 1)), (Closing.CANCEL, (1, 0, 0))):
        operation, buyer, line, hold = await sold(market)
        made = await sales_of(market).order_from_sale(operation, market.tenant, buyer, line, hold)
        start = Start(tenant_id=market.tenant, order_id=made, closing=closing, by=line.seller_id)
        await market.here.close()(start)
        assert await market.stands(UUID(int=line.product_id.int)) == stands
        assert await market.wallet(line.seller_id) == ((810, 0) if closing is Closing.SHIP else (0, 0))


async def test_the_order_of_a_sale_is_found_once_it_is_made_whatever_has_become_of_it(market: Market) -> None:
    operation, buyer, line, hold = await sold(market)
    sales = sales_of(market)
    assert await sales.order_of(operation, market.tenant, buyer) is None
    made = await sales.order_from_sale(operation, market.tenant, buyer, line, hold)
    assert await sales.order_of(operation, market.tenant, buyer) == made
    start = Start(tenant_id=market.tenant, order_id=made, closing=Closing.CANCEL, by=line.seller_id)
    await market.here.close()(start)
    assert await sales.order_of(operation, market.tenant, buyer) == made
    assert await sales.order_of(operation, market.people.other_tenant, buyer) is None


async def test_nobody_sells_to_oneself(market: Market) -> None:
    operation, buyer, line, hold = await sold(market)
    own = replace(line, seller_id=buyer)
    with pytest.raises(ValueError, match="oneself"):
        await sales_of(market).order_from_sale(operation, market.tenant, buyer, own, hold)
    await sales_of(market).order_from_sale(operation, market.tenant, buyer, line, hold)


async def test_whoever_sold_it_has_the_order_as_its_buyer_is_shown_it(market: Market) -> None:
    operation, buyer, line, hold = await sold(market)
    sales = sales_of(market)
    made = await sales.order_from_sale(operation, market.tenant, buyer, line, hold)
    shown = json.loads(await sales.shown(market.tenant, made))
    assert (shown["order_id"], shown["buyer_id"], shown["status"]) == (str(made), str(buyer), "paid")
    assert (shown["total"], shown["payment_ref"]) == (900, str(hold.id))
    with pytest.raises(LookupError):
        await sales.shown(market.people.other_tenant, made)
