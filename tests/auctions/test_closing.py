"""Auctions that end, are bought and are called off: money, stock and orders with them."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from app.contexts.auctions.application.browse import Filters, Sort, Wanted
from app.contexts.auctions.domain.auction import Auction, Phase
from app.contexts.auctions.domain.ids import AuctionId
from app.contexts.auctions.domain.refusals import AuctionClosed, AuctionHasBids, AuctionNotFound
from app.contexts.catalog.public import OutOfStock
from app.kernel.ids import UserId
from tests.auctions.hall import HOUR, Hall, code_of

OPENED = ("auction.opened", 1)


async def led(hall: Hall, **how: Any) -> tuple[Auction, UserId, UserId]:
    """One with two who bid, of whom the first leads at 225, with a maximum of 400."""
    auction = await hall.opened(**how)
    ann, bob = await hall.market.buyer(1_000), await hall.market.buyer(1_000)
    assert code_of(await hall.bid(auction, ann, 100, 400)) == "201"
    assert code_of(await hall.bid(auction, bob, 125, 200)) == "201"
    assert (await hall.market.wallet(ann), await hall.market.wallet(bob)) == ((600, 400), (1_000, 0))
    return auction, ann, bob


async def ended(hall: Hall, auction: Auction) -> Auction:
    """What becomes of it once its hour is over."""
    await hall.pass_time(auction, HOUR)
    await hall.here.closer().round()
    return await hall.stands(auction)


async def test_its_winner_has_an_order_that_is_paid_by_what_was_set_aside(hall: Hall) -> None:
    auction, ann, _ = await led(hall)
    over = await ended(hall, auction)
    assert (over.phase, over.winner_id, over.sold_price_minor) == (Phase.ENDED, ann, 225)
    assert await hall.market.wallet(ann) == (775, 225)
    query = "SELECT id, status, total, hold_id, seller_id FROM ordering.orders WHERE user_id = %s"
    assert await hall.market.all(query, ann) == [(over.order_id, "paid", 225, over.winner_hold_id, auction.seller_id)]
    assert await hall.market.stands(auction.product_id) == (0, 0, 1)
    events = [OPENED, ("auction.bid", 2), ("auction.bid", 3), ("auction.ended", 4)]
    assert await hall.events(auction) == events
    await hall.here.closer().round()
    assert await hall.events(auction) == events, "once"


async def test_without_a_bid_its_piece_is_free_again(hall: Hall) -> None:
    auction = await hall.opened()
    assert await hall.market.stands(auction.product_id) == (1, 1, 0)
    over = await ended(hall, auction)
    assert (over.phase, over.order_id) == (Phase.ENDED, None)
    assert await hall.market.stands(auction.product_id) == (1, 0, 0)
    assert await hall.events(auction) == [OPENED, ("auction.ended", 2)]


async def test_below_the_reserve_all_is_as_before(hall: Hall) -> None:
    auction, ann, _ = await led(hall, reserve=500)
    over = await ended(hall, auction)
    assert (over.phase, over.order_id, over.winner_id) == (Phase.ENDED, None, None)
    assert await hall.market.wallet(ann) == (1_000, 0)
    assert await hall.market.stands(auction.product_id) == (1, 0, 0)


async def test_from_the_end_on_nothing_is_bid_or_bought_though_nobody_has_come_by(hall: Hall) -> None:
    auction, _, bob = await led(hall, buy_now=900)
    await hall.pass_time(auction, HOUR)
    assert code_of(await hall.bid(auction, bob, 250)) == "AUCTION_CLOSED"
    assert code_of(await hall.buy(auction, bob)) == "AUCTION_CLOSED"
    assert await hall.market.wallet(bob) == (1_000, 0)
    await hall.here.closer().round()


async def test_it_is_bought_at_once_and_the_leader_has_the_money_back(hall: Hall) -> None:
    auction, ann, bob = await led(hall, buy_now=300)
    bought = await hall.buy(auction, bob)
    over = await hall.stands(auction)
    assert (over.phase, over.winner_id, over.sold_price_minor) == (Phase.ENDED, bob, 300)
    assert f'"order_id":"{over.order_id}"'.encode() in bought.answered.answer.body
    assert (await hall.market.wallet(ann), await hall.market.wallet(bob)) == ((1_000, 0), (700, 300))
    assert await hall.market.orders(bob) == [("paid", 300)]
    again = await hall.buy(auction, bob)
    assert (again.answered.answer, again.answered.replayed) == (bought.answered.answer, True)
    other = await hall.buy(auction, ann)
    assert code_of(other) == "AUCTION_CLOSED"
    assert b'"status":"ended"' in other.answered.answer.body


async def test_ten_who_buy_at_once_are_one_and_nine(hall: Hall) -> None:
    auction = await hall.opened(buy_now=300)
    buyers = [await hall.market.buyer(300) for _ in range(10)]
    decided = await asyncio.gather(*(hall.buy(auction, buyer) for buyer in buyers))
    assert sorted(map(code_of, decided)) == ["201", *["AUCTION_CLOSED"] * 9]
    wallets = [await hall.market.wallet(buyer) for buyer in buyers]
    assert sorted(wallets) == [(0, 300), *[(300, 0)] * 9]


async def test_buying_against_bidding_has_one_outcome(hall: Hall) -> None:
    for _ in range(5):
        auction = await hall.opened(buy_now=300)
        ann, bob = await hall.market.buyer(1_000), await hall.market.buyer(1_000)
        bid, bought = await asyncio.gather(hall.bid(auction, ann, 300), hall.buy(auction, bob))
        over = await hall.stands(auction)
        if code_of(bought) == "201":
            assert (over.winner_id, await hall.market.wallet(ann)) == (bob, (1_000, 0))
        else:
            assert (code_of(bought), code_of(bid)) == ("BUY_NOW_GONE", "201")
            assert await hall.market.wallet(ann) == (700, 300)
            await hall.here.close().cancel(hall.cancelling(auction))


@pytest.mark.parametrize(
    ("how", "balance", "code"),
    [
        ({}, 1_000, "BUY_NOW_GONE"),
        ({"starting": 100, "buy_now": 100}, 1_000, "BUY_NOW_GONE"),
        ({"buy_now": 300}, 299, "INSUFFICIENT_FUNDS"),
        ({"buy_now": 300}, 0, "INSUFFICIENT_FUNDS"),
    ],
)
async def test_a_purchase_that_is_refused_leaves_nothing(
    hall: Hall, how: dict[str, Any], balance: int, code: str
) -> None:
    auction, buyer = await hall.opened(**how), await hall.market.buyer(balance)
    decided = await hall.buy(auction, buyer)
    assert code_of(decided) == code
    assert await hall.market.key(buyer) == [(409, decided.answered.answer.body)]
    assert (await hall.market.wallet(buyer), await hall.left()) == ((balance, 0), 0)
    assert (await hall.stands(auction)).phase is Phase.OPEN


async def test_nobody_buys_their_own_or_what_is_not_there(hall: Hall) -> None:
    seller = hall.seller()
    auction = await hall.opened(seller, buy_now=300)
    assert code_of(await hall.buy(auction, UserId(seller.id))) == "OWN_AUCTION"
    buyer = await hall.market.buyer(300)
    missing = replace(auction, id=AuctionId(uuid4()))
    with pytest.raises(AuctionNotFound):
        await hall.buy(missing, buyer)
    assert await hall.market.key(buyer) == [], "the key is free"


async def test_its_seller_calls_it_off_without_bids_and_not_with_some(hall: Hall) -> None:
    seller = hall.seller()
    auction = await hall.opened(seller)
    own = hall.cancelling(auction, UserId(seller.id), by_admin=False)
    over = await hall.here.close().cancel(own)
    assert (over.phase, over.order_id) == (Phase.CANCELLED, None)
    assert await hall.here.close().cancel(own) == over, "the same again"
    assert await hall.market.stands(auction.product_id) == (1, 0, 0)
    assert await hall.events(auction) == [OPENED, ("auction.cancelled", 2)]
    other = await hall.opened(seller)
    ann = await hall.market.buyer(100)
    await hall.bid(other, ann, 100)
    with pytest.raises(AuctionHasBids):
        await hall.here.close().cancel(hall.cancelling(other, UserId(seller.id), by_admin=False))


async def test_an_admin_calls_it_off_with_bids_and_all_have_their_money_back(hall: Hall) -> None:
    auction, ann, _ = await led(hall)
    over = await hall.here.close().cancel(hall.cancelling(auction, UserId(uuid4())))
    assert over.phase is Phase.CANCELLED
    assert (await hall.market.wallet(ann), await hall.market.stands(auction.product_id)) == ((1_000, 0), (1, 0, 0))


async def test_what_has_ended_is_not_called_off_and_nobody_else_does(hall: Hall) -> None:
    auction, _, bob = await led(hall)
    for wrong in (
        hall.cancelling(auction, bob, by_admin=False),
        hall.cancelling(await hall.opened(), bob, by_admin=False),
    ):
        with pytest.raises(AuctionNotFound):
            await hall.here.close().cancel(wrong)
    await ended(hall, auction)
    with pytest.raises(AuctionClosed):
        await hall.here.close().cancel(hall.cancelling(auction))


async def test_what_a_disabled_seller_auctions_is_called_off(hall: Hall) -> None:
    seller, other = hall.seller(), hall.seller()
    auction, kept = await hall.opened(seller), await hall.opened(other)
    ann = await hall.market.buyer(100)
    await hall.bid(auction, ann, 100)
    await hall.here.closer().round_of_sellers()
    assert (await hall.stands(auction)).phase is Phase.OPEN
    hall.market.people.not_let_in.add(seller.id)
    await hall.here.closer().round_of_sellers()
    assert (await hall.stands(auction)).phase is Phase.CANCELLED
    assert (await hall.stands(kept)).phase is Phase.OPEN
    assert await hall.market.wallet(ann) == (100, 0)


async def test_one_piece_is_reserved_and_none_is_out_of_stock(hall: Hall) -> None:
    seller = hall.seller()
    lamp = await hall.lamp(seller, 1)
    auction = await hall.opened(seller, lamp=lamp)
    with pytest.raises(OutOfStock) as refused:
        await hall.opened(seller, lamp=lamp)
    assert refused.value.available == {lamp: 0}
    assert await hall.left() == 0
    assert await hall.market.stands(lamp) == (1, 1, 0)
    assert (await hall.stands(auction)).phase is Phase.OPEN


async def test_lists_go_by_the_clock(hall: Hall) -> None:
    seller = hall.seller()
    soon, later = await hall.opened(seller), await hall.opened(seller, lasts=2 * HOUR)
    listings = hall.here.container.listings()
    wanted = Wanted(filters=Filters(seller=UserId(seller.id)), limit=9)
    found = await listings.page(soon.tenant_id, wanted)
    assert [seen.auction.id for seen in found] == [soon.id, later.id]
    newest = Wanted(filters=wanted.filters, sort=Sort.NEWEST, limit=9)
    assert [seen.auction.id for seen in await listings.page(soon.tenant_id, newest)] == [later.id, soon.id]
