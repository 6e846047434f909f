"""What a hold was closed for is what its order comes to, whoever else began what with it."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from app.contexts.ordering.application.close_order import CloseOrder
from app.contexts.ordering.application.closing_steps import Settle, Standing, Start, Undo
from app.contexts.ordering.domain.ids import OrderId
from app.contexts.ordering.domain.order import Closing
from app.contexts.ordering.domain.refusals import OrderState
from app.kernel.ids import UserId
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.ordering.deals import FEE_BP, Deal, deal
from tests.ordering.fates import Death, Fate
from tests.ordering.market import Market, code_of, market_over, try_out
from tests.ordering.verified import offenders


@pytest.fixture(scope="module")
async def market(module_database: Urls, postgres_server: PostgresServer) -> AsyncIterator[Market]:
    async with market_over(module_database, postgres_server, MARKET_FEE_BP=FEE_BP) as opened:
        yield opened
        assert await offenders(opened) == []


async def test_one_who_was_asleep_all_the_while_cannot_spoil_it(market: Market) -> None:
    """Shipping was begun, then undone for want of room; cancelled since. Whoever began it wakes up, and goes on."""
    of, c = await deal(market), market.here.container
    sleeping = await c.steps().submit(of.start(Closing.SHIP))
    assert isinstance(sleeping, Standing)
    await c.steps().submit(Undo(market.tenant, of.order_id, sleeping.order.closing_at))
    await market.here.close()(of.start(Closing.CANCEL))
    with pytest.raises(OrderState):
        await market.here.close().finish(sleeping)
    assert await of.stands() == "cancelled"


async def test_what_the_hold_was_closed_for_is_what_the_order_comes_to(market: Market) -> None:
    """The same, but the sleeper wakes up first: the money is the seller's, and the order cannot be cancelled."""
    of, c = await deal(market), market.here.container
    sleeping = await c.steps().submit(of.start(Closing.SHIP))
    assert isinstance(sleeping, Standing)
    await c.steps().submit(Undo(market.tenant, of.order_id, sleeping.order.closing_at))
    with pytest.raises(Death):
        await market.here.close(Fate(0, behind=True)).finish(sleeping)
    with pytest.raises(OrderState):
        await market.here.close()(of.start(Closing.CANCEL))
    assert await of.stands() == "shipped"


async def captured_and_undone(market: Market, of: Deal, start: Start) -> Standing:
    """Shipping was begun, and has captured the hold; whoever did it is dead, and another has undone it."""
    steps = market.here.container.steps()
    begun = await steps.submit(start)
    assert isinstance(begun, Standing)
    with pytest.raises(Death):
        await market.here.close(Fate(0, behind=True)).finish(begun)
    await steps.submit(Undo(market.tenant, of.order_id, begun.order.closing_at))
    return begun


async def test_what_another_has_captured_is_shipped_as_it_was_said(market: Market) -> None:
    """Two ship at once. One finds no room, the other does a moment later; the first undoes it before that one ends."""
    of = await deal(market)
    start = of.start(Closing.SHIP, tracking="1Z")
    second = await captured_and_undone(market, of, start)
    shipped = await market.here.close().finish(second)
    assert (shipped.status, shipped.tracking) == ("shipped", "1Z")
    assert await market.here.close()(start) == shipped
    assert await of.stands() == "shipped"


async def test_whoever_meets_a_captured_hold_ships_as_it_was_said(market: Market) -> None:
    """The same, but who has captured is dead, and somebody cancels."""
    of = await deal(market)
    start = of.start(Closing.SHIP, tracking="1Z")
    await captured_and_undone(market, of, start)
    with pytest.raises(OrderState):
        await market.here.close()(of.start(Closing.CANCEL, reason="it takes too long"))
    assert (await market.here.close()(start)).tracking == "1Z"
    assert await market.all("SELECT reason FROM ordering.orders WHERE id = %s", of.order_id) == [(None,)]
    assert await of.stands() == "shipped"


async def test_who_ships_in_other_words_meanwhile_is_told_where_it_stands(market: Market) -> None:
    """The same, but somebody ships it anew before the second ends: it is shipped as that one says."""
    of, c = await deal(market), market.here.container
    second = await c.steps().submit(of.start(Closing.SHIP, tracking="1Z"))
    assert isinstance(second, Standing)

    async def meanwhile(step: object) -> object:
        if isinstance(step, Settle):
            await c.steps().submit(Undo(market.tenant, of.order_id, second.order.closing_at))
            await c.steps().submit(of.start(Closing.SHIP, tracking="another"))
        return await c.steps().submit(step)

    closing = CloseOrder(meanwhile, c.catalog.stock(), c.funds.funds())  # type: ignore[arg-type] # it hands on
    with pytest.raises(OrderState):
        await closing(of.start(Closing.SHIP, tracking="1Z"))
    assert (await market.here.close()(of.start(Closing.SHIP, tracking="another"))).status == "shipped"
    assert await of.stands() == "shipped"


@pytest.mark.parametrize("price", [1, 1_250])
async def test_what_the_house_buys_at_a_fee_of_all_of_it_is_shipped(market: Market, price: int) -> None:
    there, seller = await market.process(MARKET_FEE_BP="10000"), UserId(uuid4())
    lamp: UUID = await market.product(1, price=price, seller=seller)
    before, _ = await market.wallet(market.house)
    await market.pay_in(market.house, price)
    await market.fill(market.house, {lamp: 1})
    request = market.request(market.house, price, key=uuid4().hex)
    assert code_of(await try_out(there.check_out(), request)) == "paid"
    ((made,),) = await market.all("SELECT id FROM ordering.orders WHERE checkout_id = %s", request.checkout_id)
    start = Start(tenant_id=market.tenant, order_id=OrderId(made), closing=Closing.SHIP, by=seller)
    shipped = await there.close()(start)
    assert (shipped.status, shipped.fee_minor) == ("shipped", price - 1)
    assert await market.wallet(seller) == (1, 0)
    assert await market.wallet(market.house) == (before + price - 1, 0)
