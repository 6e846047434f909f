"""Processes that die while an auction is opened, closed, bought or called off: before each call, and behind it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from app.contexts.auctions.domain.auction import Auction, Phase
from app.contexts.ordering.application.closing_steps import Start
from app.contexts.ordering.domain.order import Closing as OrderClosing
from app.kernel.ids import UserId
from tests.auctions.hall import HOUR, Hall, code_of
from tests.ordering.fates import Death, Fate

Doing = Callable[[Hall, "Case", Fate], Awaitable[object]]


@dataclass
class Case:
    """An auction that Ann leads at 100 with a maximum of 400, and Bob, who has 1,000."""

    auction: Auction
    ann: UserId
    bob: UserId


async def case(hall: Hall) -> Case:
    auction = await hall.opened(buy_now=300)
    ann, bob = await hall.market.buyer(1_000), await hall.market.buyer(1_000)
    assert code_of(await hall.bid(auction, ann, 100, 400)) == "201"
    return Case(auction, ann, bob)


async def end(hall: Hall, of: Case, fate: Fate) -> None:
    await hall.pass_time(of.auction, HOUR)
    await hall.here.close(fate).end(of.auction.tenant_id, of.auction.id)


async def buy(hall: Hall, of: Case, fate: Fate) -> None:
    await hall.buy(of.auction, of.bob, fate=fate)


async def cancel(hall: Hall, of: Case, fate: Fate) -> None:
    await hall.here.close(fate).cancel(hall.cancelling(of.auction))


CALLS: dict[Doing, list[str]] = {
    end: ["step", "order_of", "resize", "take", "order_from_sale", "step"],
    buy: ["step", "hold", "step", "release", "step", "order_of", "take", "order_from_sale", "shown", "step"],
    cancel: ["step", "release", "step", "give_back", "step"],
}
TWICE = [(doing, at, behind) for doing, calls in CALLS.items() for at in range(len(calls)) for behind in (False, True)]


@pytest.mark.parametrize("doing", CALLS)
async def test_it_takes_these_calls(hall: Hall, doing: Doing) -> None:
    fate = Fate()
    await doing(hall, await case(hall), fate)
    assert fate.calls == CALLS[doing]


@pytest.mark.parametrize(("doing", "at", "behind"), TWICE)
async def test_whatever_dies_recovery_ends_it_one_way(hall: Hall, doing: Doing, at: int, behind: bool) -> None:
    of = await case(hall)
    with pytest.raises(Death):
        await doing(hall, of, Fate(at, behind=behind))
    await hall.here.recover()
    over = await hall.stands(of.auction)
    wallets = await hall.market.wallet(of.ann), await hall.market.wallet(of.bob)
    stock = await hall.market.stands(of.auction.product_id)
    assert await hall.left() == 0
    if over.phase is Phase.OPEN:
        # The death came before anything was decided: all is as it was, and the key is free.
        assert doing in (buy, cancel)
        assert (wallets, stock) == (((600, 400), (1_000, 0)), (1, 1, 0))
        assert await hall.market.key(of.bob) == []
        await doing(hall, of, Fate())
        return
    orders = await hall.market.orders(of.ann) + await hall.market.orders(of.bob)
    if doing is cancel:
        assert (over.phase, wallets, stock, orders) == (Phase.CANCELLED, ((1_000, 0), (1_000, 0)), (1, 0, 0), [])
        return
    assert over.phase is Phase.ENDED
    price = 100 if doing is end else 300
    assert (stock, orders) == ((0, 0, 1), [("paid", price)])
    if doing is end:
        assert wallets == ((900, 100), (1_000, 0))
        return
    assert wallets == ((1_000, 0), (700, 300))
    ((status, body),) = await hall.market.key(of.bob)
    assert status == 201
    assert f'"order_id":"{over.order_id}"'.encode() in (body or b"")
    again = await hall.buy(of.auction, of.bob)
    assert (again.answered.answer.body, again.answered.replayed) == (body, True)


@pytest.mark.parametrize("doing", [end, buy])
async def test_what_its_buyer_cancels_before_the_auction_is_over_is_its_order_all_the_same(
    hall: Hall, doing: Doing
) -> None:
    of = await case(hall)
    with pytest.raises(Death):
        await doing(hall, of, Fate(CALLS[doing].index("order_from_sale"), behind=True))
    buyer = of.ann if doing is end else of.bob
    ((order_id,),) = await hall.market.all("SELECT id FROM ordering.orders WHERE user_id = %s", buyer)
    await hall.market.here.close()(
        Start(tenant_id=of.auction.tenant_id, order_id=order_id, closing=OrderClosing.CANCEL, by=buyer)
    )
    await hall.here.recover()
    over = await hall.stands(of.auction)
    assert (over.phase, over.order_id, over.winner_id) == (Phase.ENDED, order_id, buyer)
    assert (await hall.market.wallet(of.ann), await hall.market.wallet(of.bob)) == ((1_000, 0), (1_000, 0))
    assert (await hall.market.stands(of.auction.product_id), await hall.left()) == ((1, 0, 0), 0)
    if doing is buy:
        ((status, body),) = await hall.market.key(of.bob)
        assert (status, f'"order_id":"{order_id}"'.encode() in (body or b"")) == (201, True)


OPENING = ["begin", "reserve", "open"]


@pytest.mark.parametrize("at", range(len(OPENING)))
@pytest.mark.parametrize("behind", [False, True])
async def test_an_opening_that_dies_leaves_an_auction_or_nothing(hall: Hall, at: int, behind: bool) -> None:
    seller = hall.seller()
    lamp = await hall.lamp(seller)
    with pytest.raises(Death):
        await hall.opened(seller, lamp=lamp, fate=(fate := Fate(at, behind=behind)))
    assert fate.calls == OPENING[: at + 1]
    await hall.here.recover()
    is_open = (at, behind) == (len(OPENING) - 1, True)
    assert await hall.market.stands(lamp) == (1, int(is_open), 0)
    assert await hall.left() == 0
    count = "SELECT count(*)::int FROM auctions.auctions WHERE product_id = %s"
    assert await hall.market.all(count, lamp) == [(int(is_open),)]


async def test_an_opening_that_is_given_up_meanwhile_comes_too_late(hall: Hall) -> None:
    seller = hall.seller()
    lamp = await hall.lamp(seller)
    openings = hall.here.container.openings()
    use_case = hall.here.open()
    terms = await hall.terms(seller, lamp=lamp)
    begin = openings.begin

    async def then_sleep(*arguments: object) -> object:
        times = await begin(*arguments)  # type: ignore[arg-type]
        await hall.here.recover()
        return times

    object.__setattr__(use_case, "openings", _With(openings, begin=then_sleep))
    with pytest.raises(Exception, match="given up"):
        await use_case(seller, terms, None)
    assert (await hall.market.stands(lamp), await hall.left()) == ((1, 0, 0), 0)


class _With:
    """A port with one method of the test's own."""

    def __init__(self, port: object, **methods: object) -> None:
        self._port = port
        vars(self).update(methods)

    def __getattr__(self, name: str) -> object:
        return getattr(self._port, name)
