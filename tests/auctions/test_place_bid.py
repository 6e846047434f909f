"""Bidding, in process, over a real database, with the real funds."""

import asyncio
from dataclasses import replace

import psycopg
import pytest

from app.contexts.auctions.application.bid_steps import Begin, Take
from app.contexts.auctions.application.board import TakeSteps
from app.contexts.auctions.application.decisions import Decided
from app.contexts.auctions.application.undo_steps import GiveUp
from app.contexts.auctions.domain.ids import AuctionId
from app.contexts.auctions.domain.intent import Intent
from app.contexts.auctions.domain.refusals import AuctionNotFound
from app.kernel.errors import Unavailable
from app.kernel.money import Money
from app.platform.idempotency.keys import Answered
from app.platform.postgres import pool
from app.platform.process.uuid7 import uuid7
from tests.auctions.house import LATE, AuctionHouse, all_at_once, code_of, try_out
from tests.ordering.fates import Fate
from tests.ordering.unsteady import Unsteady


async def test_a_bid_counts_and_its_maximum_is_set_aside(house: AuctionHouse) -> None:
    auction, ann, fate = await house.auction(), await house.bidder(1_000), Fate()
    request = house.request(auction, ann, 100, 400)
    decided = await house.here.bid(request, fate)
    assert code_of(decided) == "leads"
    assert fate.calls == ["step", "hold", "step"]
    assert await house.stands(auction) == (1, 100, ann, 400)
    assert await house.wallet(ann) == (600, 400)
    assert await house.events(auction) == [("auction.bid", 2)]
    assert await house.key(request) == [(request.bid_id, 201)]
    assert await house.nothing_is_left(auction)
    again = await house.here.bid(replace(request, bid_id=house.request(auction, ann, 1).bid_id))
    assert again.answered == Answered(decided.answered.answer, replayed=True)


async def test_whoever_is_outbid_has_everything_back(house: AuctionHouse) -> None:
    auction, ann, bob, fate = await house.auction(), await house.bidder(1_000), await house.bidder(1_000), Fate()
    await house.here.bid(house.request(auction, ann, 100, 400))
    assert code_of(await house.here.bid(house.request(auction, bob, 125, 500), fate)) == "leads"
    assert fate.calls == ["step", "hold", "step", "release", "step"]
    assert (await house.wallet(ann), await house.wallet(bob)) == ((1_000, 0), (500, 500))
    assert await house.stands(auction) == (2, 425, bob, 500)
    assert await house.nothing_is_left(auction)


async def test_whoever_is_outbid_at_once_is_told_so_and_has_everything_back(house: AuctionHouse) -> None:
    auction, ann, bob = await house.auction(), await house.bidder(1_000), await house.bidder(1_000)
    await house.here.bid(house.request(auction, ann, 100, 400))
    decided = await house.here.bid(house.request(auction, bob, 125, 400))
    assert (decided.answered.answer.status, code_of(decided)) == (201, "outbid")
    assert (await house.wallet(ann), await house.wallet(bob)) == ((600, 400), (1_000, 0))
    assert await house.stands(auction) == (2, 400, ann, 400)


async def test_refusals_come_in_the_order_of_the_page_and_are_stored(house: AuctionHouse) -> None:
    seller = await house.bidder()
    ended = {"starts_s": -60.0, "ends_s": -1.0}
    for auction, bidder, amount, code in (
        (await house.auction(seller=seller, **ended), seller, 1, "OWN_AUCTION"),  # type: ignore[arg-type]
        (await house.auction(**ended), await house.bidder(), 1, "AUCTION_CLOSED"),  # type: ignore[arg-type]
        (await house.auction(starts_s=60), await house.bidder(), 1, "AUCTION_CLOSED"),
        (await house.auction(), await house.bidder(), 99, "BID_TOO_LOW"),
        (await house.auction(), await house.bidder(99), 100, "INSUFFICIENT_FUNDS"),
        (await house.auction(), await house.bidder(), 100, "INSUFFICIENT_FUNDS"),
    ):
        request = house.request(auction, bidder, amount)
        decided = await house.here.bid(request)
        assert code_of(decided) == code
        assert (await house.key(request), await house.nothing_is_left(auction)) == ([(None, 409)], True)
        await house.pay_in(bidder, 1_000)
        again = await house.here.bid(house.request(auction, bidder, amount, key=request.key))
        assert again.answered == Answered(decided.answered.answer, replayed=True)
        assert (await house.stands(auction))[0] == 0
        assert (await house.wallet(bidder))[1] == 0


async def test_an_auction_that_is_not_there_leaves_no_trace(house: AuctionHouse) -> None:
    request = house.request(AuctionId(uuid7()), await house.bidder(), 100)
    first, second = await asyncio.gather(*(try_out(house.here, each) for each in (request, request)))
    assert isinstance(first, AuctionNotFound)
    assert isinstance(second, AuctionNotFound)
    assert await house.key(request) == []


async def test_a_key_is_one_requests(house: AuctionHouse) -> None:
    auction, ann = await house.auction(), await house.bidder(1_000)
    requests = [house.request(auction, ann, amount, key="mine") for amount in (100, 100, 101)]
    codes = await all_at_once(house.here, requests)
    assert codes == ["leads", "IDEMPOTENCY_IN_PROGRESS", "IDEMPOTENCY_KEY_REUSED"]
    assert await all_at_once(house.here, requests) == ["leads", "leads", "IDEMPOTENCY_KEY_REUSED"]
    assert await house.stands(auction) == (1, 100, ann, 100)


async def test_two_with_one_refused_key_get_the_same(house: AuctionHouse) -> None:
    auction, ann = await house.auction(), await house.bidder()
    requests = [house.request(auction, ann, amount, key="mine") for amount in (1, 1, 2)]
    codes = await all_at_once(house.here, requests)
    assert codes == ["BID_TOO_LOW", "BID_TOO_LOW", "IDEMPOTENCY_KEY_REUSED"]


async def test_many_at_once_lock_the_auction_once_a_batch(house: AuctionHouse) -> None:
    there, auction = await house.process(), await house.auction()
    bidders = [await house.bidder(20_000) for _ in range(64)]
    requests = [house.request(auction, bidder, 5_000 + 100 * n) for n, bidder in enumerate(bidders)]
    codes = await all_at_once(there, requests)
    assert set(codes) <= {"leads", "outbid", "BID_TOO_LOW"}
    _, price, leader, most = await house.stands(auction)
    assert (leader, most) == (bidders[-1], 11_300)
    assert price <= 11_300
    registry = there.container.registry()
    batches = registry.get_sample_value("strongbox_batch_size_count", {"step": "auctions"})
    steps = registry.get_sample_value("strongbox_batch_size_sum", {"step": "auctions"})
    assert steps is not None
    assert batches is not None
    assert steps >= 128
    assert batches <= steps / 4
    held = [await house.wallet(bidder) for bidder in bidders]
    assert held == [(20_000, 0)] * 63 + [(8_700, 11_300)]
    assert await house.nothing_is_left(auction)


async def test_several_processes_number_bids_and_events_without_a_gap(house: AuctionHouse) -> None:
    auction = await house.auction(ends_s=60)
    processes = [house.here, await house.process(), await house.process()]
    bidders = [await house.bidder(1_000_000) for _ in range(12)]

    async def climb(n: int) -> int:
        requests = [house.request(auction, bidders[n], amount) for amount in range(1_000 * (n + 1), 100_000, 7_001)]
        codes = [code_of(await try_out(processes[n % 3], request)) for request in requests]
        assert set(codes) <= {"leads", "outbid", "BID_TOO_LOW"}
        return len(codes) - codes.count("BID_TOO_LOW")

    placed = sum(await asyncio.gather(*map(climb, range(12))))
    numbers = await house.all("SELECT sequence FROM auctions.bids WHERE auction_id = %s ORDER BY sequence", auction)
    assert [n for (n,) in numbers] == [*range(1, placed + 1)]
    events = await house.events(auction)
    assert [event_id for _, event_id in events] == [*range(2, 2 + len(events))]
    assert [type_ for type_, _ in events].count("auction.bid") == placed
    assert len(events) > placed, "the first of each moment has moved the end"
    assert await house.nothing_is_left(auction)
    prices = await house.all("SELECT price FROM auctions.bids WHERE auction_id = %s ORDER BY sequence", auction)
    assert prices == sorted(prices)


async def test_a_bid_that_is_too_late_by_its_turn_is_refused_though_it_began_in_time(house: AuctionHouse) -> None:
    auction, ann = await house.auction(), await house.bidder(1_000)
    submit, funds = house.here.container.steps().submit, house.here.container.funds.funds()
    intent = await submit(Begin(house.request(auction, ann, 100, 400)))
    done = await funds.hold(intent.holding, house.tenant, ann, _money(intent), None)
    await house.pass_time(auction, 3_600)
    decided = await submit(Take(intent, done.ids[0]))
    assert code_of(decided) == "AUCTION_CLOSED"
    await house.here.clean_up()(decided.leftovers)
    assert (await house.wallet(ann), await house.nothing_is_left(auction)) == ((1_000, 0), True)


def _money(intent: Intent) -> Money:
    return Money(intent.max_minor, intent.currency)


async def test_an_intent_that_was_given_up_never_becomes_a_bid(house: AuctionHouse) -> None:
    auction, ann = await house.auction(), await house.bidder(1_000)
    submit = house.here.container.steps().submit
    intent = await submit(Begin(house.request(auction, ann, 100)))
    await submit(GiveUp(intent))
    with pytest.raises(Unavailable):
        await house.here.place_bid()._carry_out(intent, LATE)
    await house.here.recover()
    with pytest.raises(Unavailable):
        await house.here.place_bid()._carry_out(intent, LATE)
    assert (await house.stands(auction))[0] == 0
    assert (await house.wallet(ann), await house.nothing_is_left(auction)) == ((1_000, 0), True)


async def test_after_the_deadline_nothing_is_held(house: AuctionHouse) -> None:
    auction, ann = await house.auction(), await house.bidder(1_000)
    request = house.request(auction, ann, 100)
    submit = house.here.container.steps().submit
    intent = await submit(Begin(request))
    with pytest.raises(Unavailable):
        await house.here.place_bid()._carry_out(intent, 0.0)
    with pytest.raises(Unavailable):
        await house.here.place_bid()(house.request(auction, ann, 100), 0.0)
    assert await house.wallet(ann) == (1_000, 0)
    await house.here.recover()
    assert await house.key(request) == []


@pytest.mark.parametrize("behind", [False, True])
async def test_a_lost_connection_at_a_commit_changes_nothing(house: AuctionHouse, behind: bool) -> None:
    auction, ann, bob = await house.auction(), await house.bidder(1_000), await house.bidder(1_000)
    there = await house.process()
    unsteady = Unsteady(there.container.books(), behind=behind)
    lanes = there.container.steps()
    for lane in (lanes._lane, lanes._aside):
        lane._run = TakeSteps(unsteady, there.container.answers(), uuid7)  # type: ignore[arg-type]
    for bidder, amount, most in ((ann, 100, 200), (ann, 100, 300), (bob, 125, 250), (bob, 325, 400)):
        decided = await there.bid(house.request(auction, bidder, amount, most))
        assert isinstance(decided, Decided)
        assert decided.answered.answer.status == 201
    assert unsteady.lost > 0
    assert await house.stands(auction) == (4, 325, bob, 400)
    await there.recover()
    assert (await house.wallet(ann), await house.wallet(bob)) == ((1_000, 0), (600, 400))
    assert await house.nothing_is_left(auction)


async def test_a_locked_auction_holds_up_its_own_bidders_alone(
    house: AuctionHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pool._SESSION, "lock_timeout", 500)
    there = await house.process()
    locked, free = await house.auction(), await house.auction()
    ann, bob = await house.bidder(1_000), await house.bidder(1_000)
    async with await psycopg.AsyncConnection.connect(house.urls.owner_url) as other:
        await other.execute("SELECT set_config('app.current_tenant', %s, true)", [str(house.tenant)])
        await other.execute("SELECT FROM auctions.auctions WHERE id = %s FOR UPDATE", [locked])
        waiting = asyncio.create_task(try_out(there, house.request(locked, ann, 100)))
        assert code_of(await try_out(there, house.request(free, bob, 100))) == "leads"
        assert code_of(await waiting) == "HeldElsewhere"
        await other.rollback()
    assert (await house.stands(free))[0] == 1
