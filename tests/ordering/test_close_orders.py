"""Shipping, cancelling and completing, in process, over a real database, with the real stock and the real funds."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from app.contexts.funds.public import BalanceLimit
from app.contexts.ordering.application.close_order import parts_of
from app.contexts.ordering.application.closing_steps import Standing, Start
from app.contexts.ordering.application.recover import Kind
from app.contexts.ordering.domain.ids import OrderId
from app.contexts.ordering.domain.order import Closing, Order
from app.contexts.ordering.domain.refusals import NotTheirs, OrderNotFound, OrderState
from app.kernel.ids import UserId
from app.kernel.money import MAX_MINOR
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.ordering.deals import FEE, FEE_BP, deal
from tests.ordering.fates import Death, Fate
from tests.ordering.market import Market, Process, code_of, market_over, try_out
from tests.ordering.orders import order
from tests.ordering.verified import offenders


@pytest.fixture(scope="module")
async def market(module_database: Urls, postgres_server: PostgresServer) -> AsyncIterator[Market]:
    async with market_over(module_database, postgres_server, MARKET_FEE_BP=FEE_BP) as opened:
        yield opened
        assert await offenders(opened) == []


async def test_shipping_gives_the_seller_the_price_less_the_fee(market: Market) -> None:
    of = await deal(market)
    before, _ = await market.wallet(market.house)
    shipped = await market.here.close()(of.start(Closing.SHIP, tracking="1Z"))
    assert (shipped.status, shipped.tracking, shipped.fee_minor) == ("shipped", "1Z", FEE)
    assert await of.stands() == "shipped"
    assert (await market.wallet(market.house))[0] == before + FEE
    assert await market.here.close()(of.start(Closing.SHIP, tracking="1Z")) == shipped
    with pytest.raises(OrderState):
        await market.here.close()(of.start(Closing.SHIP, tracking="another"))
    with pytest.raises(OrderState):
        await market.here.close()(of.start(Closing.CANCEL))
    completed = await market.here.close().complete(of.complete())
    assert await market.here.close().complete(of.complete()) == completed
    assert await market.here.close()(of.start(Closing.SHIP, tracking="1Z")) == completed, "it was shipped so"
    assert await of.stands() == "completed"
    assert await market.events(of.buyer) == [("order.paid", 1), ("order.shipped", 2), ("order.completed", 3)]


@pytest.mark.parametrize("side", ["buyer", "seller"])
async def test_cancelling_gives_back_money_and_stock(market: Market, side: str) -> None:
    of = await deal(market)
    start = of.start(Closing.CANCEL, by=of.buyer if side == "buyer" else of.seller, reason="it broke")
    cancelled = await market.here.close()(start)
    assert await of.stands() == "cancelled"
    assert await market.here.close()(start) == cancelled
    for another in (of.start(Closing.SHIP), of.start(Closing.CANCEL)):
        with pytest.raises(OrderState):
            await market.here.close()(another)
    with pytest.raises(OrderState):
        await market.here.close().complete(of.complete())
    assert await market.events(of.buyer) == [("order.paid", 1), ("order.cancelled", 2)]


async def test_cancelling_gives_back_all_that_an_order_has(market: Market) -> None:
    seller = UserId(uuid4())
    things = [await market.product(3, price=10, seller=seller) for _ in range(3)]
    buyer = await market.buyer(60, {thing: n for n, thing in enumerate(things, start=1)})
    request = market.request(buyer, 60)
    assert code_of(await try_out(market.here.check_out(), request)) == "paid"
    ((made,),) = await market.all("SELECT id FROM ordering.orders WHERE checkout_id = %s", request.checkout_id)
    await market.here.close()(Start(tenant_id=market.tenant, order_id=OrderId(made), closing=Closing.CANCEL, by=buyer))
    assert [await market.stands(thing) for thing in things] == [(3, 0, 0)] * 3


async def test_only_the_sides_of_an_order_may_and_each_only_what_is_its_own(market: Market) -> None:
    of, close = await deal(market), market.here.close()
    with pytest.raises(NotTheirs):
        await close(of.start(Closing.SHIP, by=of.buyer))
    with pytest.raises(NotTheirs):
        await close.complete(of.complete(of.seller))
    for closing in Closing:
        with pytest.raises(OrderNotFound):
            await close(of.start(closing, by=UserId(uuid4())))
    with pytest.raises(OrderNotFound):
        await close.complete(of.complete(UserId(uuid4())))
    with pytest.raises(OrderState):
        await close.complete(of.complete())
    assert await of.stands() == "paid"


async def test_of_shipping_and_cancelling_at_once_one_happens(market: Market) -> None:
    there = await market.process(MARKET_FEE_BP=FEE_BP)
    for _ in range(10):
        of = await deal(market)
        results = await asyncio.gather(
            *(
                process.close()(start)
                for process in (market.here, there)
                for start in (of.start(Closing.SHIP), of.start(Closing.CANCEL, by=of.buyer))
            ),
            return_exceptions=True,
        )
        status = await of.stands()
        assert [r.status for r in results if isinstance(r, Order)] == [status] * 2
        assert [type(r) for r in results if isinstance(r, BaseException)] == [OrderState] * 2


async def test_a_seller_without_room_gets_nothing_and_the_order_stays_paid(market: Market) -> None:
    of = await deal(market)
    await market.pay_in(of.seller, MAX_MINOR)
    for _ in range(2):
        with pytest.raises(BalanceLimit):
            await market.here.close()(of.start(Closing.SHIP, tracking="1Z"))
    rows = await market.all(
        "SELECT status, closing, closing_by, closing_at FROM ordering.orders WHERE id = %s", of.order_id
    )
    assert rows == [("paid", None, None, None)]
    await market.all("UPDATE wallet_balances SET current_balance = 0 WHERE user_id = %s", of.seller)
    assert (await market.here.close()(of.start(Closing.CANCEL))).status == "cancelled"
    assert await of.stands() == "cancelled"


STEPS = {Closing.SHIP: ["step", "capture", "step"], Closing.CANCEL: ["step", "release", "give_back", "step"]}
DEATHS = [(closing, at, behind) for closing, steps in STEPS.items() for at in range(len(steps)) for behind in (0, 1)]


@pytest.mark.parametrize(("closing", "at", "behind"), DEATHS)
async def test_recovery_finishes_what_was_begun(market: Market, closing: Closing, at: int, behind: int) -> None:
    of = await deal(market)
    with pytest.raises(Death):
        await market.here.close(Fate(at, behind=bool(behind)))(of.start(closing))
    there = await market.process(MARKET_FEE_BP=FEE_BP)
    await there.recover(older_than_s=3_600)
    is_begun = (at, behind) >= (0, 1)
    if is_begun and (at, behind) < (len(STEPS[closing]) - 1, 1):
        ((found,),) = await market.all("SELECT closing FROM ordering.orders WHERE id = %s", of.order_id)
        assert found == closing.value, "it is not due"
    await there.recover()
    ended = {Closing.SHIP: "shipped", Closing.CANCEL: "cancelled"}[closing]
    assert await of.stands() == (ended if is_begun else "paid")
    assert (await market.here.close()(of.start(closing))).status == ended
    assert await of.stands() == ended


@pytest.mark.parametrize("closing", Closing)
async def test_every_step_is_repeatable(market: Market, closing: Closing) -> None:
    of, c = await deal(market), market.here.container
    begun = await c.steps().submit(of.start(closing))
    assert isinstance(begun, Standing)
    results = await asyncio.gather(*(market.here.close().finish(begun) for _ in range(3)))
    assert len(set(map(repr, results))) == 1
    await of.stands()


async def test_orders_go_on_by_themselves_when_their_time_has_come(market: Market) -> None:
    late, early, on_its_way, arrived = [await deal(market) for _ in range(4)]
    for of in (on_its_way, arrived):
        await market.here.close()(of.start(Closing.SHIP))
    there: Process = await market.process(MARKET_FEE_BP=FEE_BP)
    await late.age("paid_at", 14.001)
    await early.age("paid_at", 13.99)
    await on_its_way.age("shipped_at", 13.99)
    await arrived.age("shipped_at", 14.001)
    await there.recover()
    stands = [await of.stands() for of in (late, early, on_its_way, arrived)]
    assert stands == ["cancelled", "paid", "shipped", "completed"]
    noted = [(kind, what) for kind, what, _ in there.noted]
    assert (Kind.NOT_SHIPPED, late.order_id) in noted
    assert (Kind.ARRIVED, arrived.order_id) in noted


def test_a_hold_is_captured_for_others_each_with_something() -> None:
    seller, house = UserId(uuid4()), UserId(uuid4())
    made = order(seller_id=seller, house_user_id=house, total_minor=100, fee_minor=10)
    assert [(p.beneficiary, p.amount_minor, p.is_fee) for p in parts_of(made)] == [
        (seller, 90, False), (house, 10, True),
    ]  # fmt: skip
    free, all_of_it = order(fee_minor=0, house_user_id=house), order(fee_minor=2_500, house_user_id=house)
    assert [p.beneficiary for p in parts_of(free)] == [free.seller_id]
    assert [p.beneficiary for p in parts_of(all_of_it)] == [house]
    own = order(seller_id=house, house_user_id=house, total_minor=100, fee_minor=10)
    assert [(p.beneficiary, p.amount_minor, p.is_fee) for p in parts_of(own)] == [(house, 100, False)]
