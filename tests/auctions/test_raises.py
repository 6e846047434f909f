"""A leader's own raises, which make the one hold larger: alone, several at once, and as others outbid."""

from app.contexts.auctions.application.bid_steps import Begin, Take
from app.contexts.auctions.domain.intent import Kind
from tests.auctions.house import LATE, AuctionHouse, all_at_once, code_of
from tests.ordering.fates import Fate


async def test_a_leader_raises_with_what_is_missing_alone(house: AuctionHouse) -> None:
    auction, ann, fate = await house.auction(), await house.bidder(1_000), Fate()
    await house.here.bid(house.request(auction, ann, 100, 600))
    assert code_of(await house.here.bid(house.request(auction, ann, 1, 1_000), fate)) == "leads"
    assert fate.calls == ["step", "resize", "step"]
    assert await house.stands(auction) == (2, 100, ann, 1_000)
    assert await house.wallet(ann) == (0, 1_000)
    (counts,) = await house.all("SELECT count(*), max(amount) FROM holds WHERE user_id = %s", ann)
    assert counts == (1, 1_000)
    assert await house.nothing_is_left(auction)


async def test_a_leader_who_raises_twice_at_once_has_a_hold_of_the_higher_maximum(house: AuctionHouse) -> None:
    auction, ann = await house.auction(), await house.bidder(10_000)
    await house.here.bid(house.request(auction, ann, 100, 200))
    requests = [house.request(auction, ann, 100, most) for most in (400, 300, 900)]
    codes = await all_at_once(house.here, requests)
    assert set(codes) <= {"leads", "BID_TOO_LOW"}
    assert codes[2] == "leads"
    assert (await house.stands(auction))[3] == 900
    assert (await house.wallet(ann), await house.nothing_is_left(auction)) == ((9_100, 900), True)


async def test_a_raise_of_a_leader_who_is_outbid_meanwhile_is_held_anew(house: AuctionHouse) -> None:
    for is_held_before in (True, False):
        auction, ann, bob = await house.auction(), await house.bidder(2_000), await house.bidder(2_000)
        await house.here.bid(house.request(auction, ann, 100, 200))
        submit, funds = house.here.container.steps().submit, house.here.container.funds.funds()
        request = house.request(auction, ann, 400, 900)
        intent = await submit(Begin(request))
        assert intent.kind is Kind.RAISE
        if is_held_before:
            await funds.resize(intent.holding, intent.hold(intent.raised), 900)
        await house.here.bid(house.request(auction, bob, 125, 300))
        decided = await house.here.place_bid()._carry_out(intent, LATE)
        await house.here.clean_up()(decided.leftovers)
        assert code_of(decided) == "leads"
        assert (await house.wallet(ann), await house.wallet(bob)) == ((1_100, 900), (2_000, 0))
        assert await house.nothing_is_left(auction)


async def test_a_raise_that_comes_too_late_leaves_the_leaders_hold_as_it_was(house: AuctionHouse) -> None:
    auction, ann = await house.auction(), await house.bidder(2_000)
    await house.here.bid(house.request(auction, ann, 100, 200))
    submit, funds = house.here.container.steps().submit, house.here.container.funds.funds()
    intent = await submit(Begin(house.request(auction, ann, 100, 900)))
    await funds.resize(intent.holding, intent.hold(intent.raised), 900)
    await house.pass_time(auction, 3_600)
    decided = await submit(Take(intent, intent.raised))
    assert code_of(decided) == "AUCTION_CLOSED"
    assert await house.wallet(ann) == (1_100, 900)
    await house.here.clean_up()(decided.leftovers)
    assert (await house.wallet(ann), await house.nothing_is_left(auction)) == ((1_800, 200), True)


async def test_who_leads_by_the_time_that_funds_refuse_may_raise(house: AuctionHouse) -> None:
    auction, ann = await house.auction(), await house.bidder(1_000)
    submit = house.here.container.steps().submit
    second = await submit(Begin(house.request(auction, ann, 100, 1_000)))
    assert second.kind is Kind.BID
    await house.here.bid(house.request(auction, ann, 100, 600))
    decided = await house.here.place_bid()._carry_out(second, LATE)
    assert code_of(decided) == "leads"
    assert await house.stands(auction) == (2, 100, ann, 1_000)
    assert (await house.wallet(ann), await house.nothing_is_left(auction)) == ((0, 1_000), True)


async def test_a_raise_that_nobody_can_pay_is_refused_and_leaves_the_lead(house: AuctionHouse) -> None:
    auction, ann = await house.auction(), await house.bidder(1_000)
    await house.here.bid(house.request(auction, ann, 100, 600))
    assert code_of(await house.here.bid(house.request(auction, ann, 100, 1_001))) == "INSUFFICIENT_FUNDS"
    assert await house.stands(auction) == (1, 100, ann, 600)
    assert (await house.wallet(ann), await house.nothing_is_left(auction)) == ((400, 600), True)


async def test_a_hold_that_was_changed_too_often_is_replaced_by_another(house: AuctionHouse) -> None:
    auction, ann, fate = await house.auction(), await house.bidder(2_000), Fate()
    await house.here.bid(house.request(auction, ann, 100, 200))
    await house.all("UPDATE holds SET version = 32766 WHERE user_id = %s", ann)
    assert code_of(await house.here.bid(house.request(auction, ann, 100, 900), fate)) == "leads"
    assert fate.calls == ["step", "resize", "step", "hold", "step", "release", "step"]
    assert (await house.wallet(ann), await house.nothing_is_left(auction)) == ((1_100, 900), True)
