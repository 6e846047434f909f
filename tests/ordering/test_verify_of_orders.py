"""Whatever contradicts itself between orders, holds and stock is found, and nothing else."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from app.contexts.catalog.public import Line, ProductId
from app.contexts.ordering.application.closing_steps import Complete, Start
from app.contexts.ordering.domain.ids import OrderId
from app.contexts.ordering.domain.order import Closing
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.operation_id import OperationId
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.ordering.fates import Death, Fate
from tests.ordering.market import Market, code_of, market_over, try_out
from tests.ordering.verified import offenders


@pytest.fixture(scope="module")
async def market(module_database: Urls, postgres_server: PostgresServer) -> AsyncIterator[Market]:
    async with market_over(module_database, postgres_server) as opened:
        yield opened


async def bought(market: Market, code: str = "paid", balance: int = 2_500) -> tuple[UserId, UserId, OrderId]:
    """What somebody meant to buy, and came to that; the buyer, the seller and the order."""
    seller = UserId(uuid4())
    buyer = await market.buyer(balance, {await market.product(3, seller=seller): 2})
    assert code_of(await try_out(market.here.check_out(), market.request(buyer, 2_500))) == code
    ((order_id,),) = await market.all("SELECT id FROM ordering.orders WHERE user_id = %s", buyer)
    return buyer, seller, OrderId(order_id)


async def test_orders_in_every_state_agree(market: Market) -> None:
    close = market.here.close()
    for closing in (None, Closing.SHIP, Closing.CANCEL):
        buyer, seller, order_id = await bought(market)
        if closing:
            await close(Start(tenant_id=market.tenant, order_id=order_id, closing=closing, by=seller))
        if closing is Closing.SHIP:
            await close.complete(Complete(market.tenant, order_id, buyer))
    await bought(market, "INSUFFICIENT_FUNDS", 1)
    for at in range(6):
        buyer = await market.buyer(2_500, {await market.product(3): 2})
        with pytest.raises(Death):
            await market.here.check_out(Fate(at, behind=True))(market.request(buyer, 2_500), 1e12)
    await market.all("UPDATE ordering.checkouts SET created_at = now() WHERE status = 'pending'")
    assert await offenders(market) == [], "what is under way is not held against anybody"
    await market.here.recover()
    assert await offenders(market) == []


TAMPERINGS = {
    "UPDATE holds SET status = 'RELEASED', released = amount, closed_at = now() WHERE id = %(hold)s": {
        "orders_and_holds_agree"
    },
    "DELETE FROM holds WHERE id = %(hold)s": {"orders_and_holds_agree"},
    "UPDATE ordering.orders SET total = total + 1 WHERE id = %(order)s": {"orders_and_holds_agree"},
    "UPDATE ordering.orders SET status = 'shipped' WHERE id = %(order)s": {"orders_and_holds_agree"},
    "UPDATE ordering.orders SET status = 'cancelled' WHERE id = %(order)s": {
        "orders_and_holds_agree",
        "orders_and_stock_agree",
    },
    "UPDATE catalog.reservation_lines SET status = 'RETURNED' WHERE business_id = %(checkout)s": {
        "orders_and_stock_agree"
    },
    "DELETE FROM catalog.reservation_lines WHERE business_id = %(checkout)s": {"orders_and_stock_agree"},
    "DELETE FROM ordering.orders WHERE id = %(order)s": {
        "checkouts_are_paid_or_not",
        "orders_and_holds_agree",
        "orders_and_stock_agree",
    },
    "UPDATE ordering.checkouts SET status = 'cancelled' WHERE id = %(checkout)s": {"checkouts_are_paid_or_not"},
    "UPDATE ordering.carts SET status = 'active' WHERE checkout_id = %(checkout)s": {"checkouts_are_paid_or_not"},
    "UPDATE ordering.orders SET closing = 'ship', closing_at = now() - interval '26 s' WHERE id = %(order)s": {
        "nothing_is_half_done"
    },
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
async def test_a_contradiction_is_found(market: Market, tampering: str) -> None:
    _, _, order_id = await bought(market)
    query = "SELECT hold_id, checkout_id FROM ordering.orders WHERE id = %s"
    ((hold_id, checkout_id),) = await market.all(query, order_id)
    await market.owner.execute(tampering.encode(), {"hold": hold_id, "order": order_id, "checkout": checkout_id})
    found = await offenders(market)
    assert {name for name, _ in found} == TAMPERINGS[tampering], found
    await market.all("DELETE FROM ordering.orders WHERE id = %s", order_id)
    for table, column in (
        ("ordering.carts", "checkout_id"), ("ordering.checkouts", "id"), ("catalog.reservation_lines", "business_id"),
        ("holds", "business_id"),
    ):  # fmt: skip
        await market.all(f"DELETE FROM {table} WHERE {column} = %s", checkout_id)


async def test_what_is_held_or_reserved_for_no_order_is_found(market: Market) -> None:
    buyer, lamp = await market.buyer(100), await market.product(3)
    funds, stock = market.here.container.funds.funds(), market.here.container.catalog.stock()
    nothing = UUID(int=uuid4().int)
    await funds.hold(OperationId("ordering", nothing, "hold"), market.tenant, buyer, Money(7, Currency("USD")), None)
    await stock.reserve(OperationId("ordering", nothing, "reserve"), market.tenant, buyer, [Line(ProductId(lamp), 1)])
    assert {name for name, _ in await offenders(market)} == {"orders_and_holds_agree", "orders_and_stock_agree"}
    await stock.give_back(market.tenant, OperationId("ordering", nothing, "reserve"))
    assert {name for name, _ in await offenders(market)} == {"orders_and_holds_agree"}
    await market.all("DELETE FROM holds WHERE business_id = %s", nothing)


async def test_a_checkout_that_is_pending_for_long_is_found(market: Market) -> None:
    buyer = await market.buyer(2_500, {await market.product(3): 2})
    with pytest.raises(Death):
        await market.here.check_out(Fate(3, behind=True))(market.request(buyer, 2_500), 1e12)
    await market.all("UPDATE ordering.checkouts SET created_at = now() - interval '5 s' WHERE user_id = %s", buyer)
    assert await offenders(market) == []
    await market.all("UPDATE ordering.checkouts SET created_at = now() - interval '26 s' WHERE user_id = %s", buyer)
    assert {name for name, _ in await offenders(market)} == {"nothing_is_half_done"}
    await market.here.recover()
    assert await offenders(market) == []
