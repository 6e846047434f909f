"""What recovery does of bids, wired as in the product, and what its metrics show."""

import asyncio

import pytest

from app.contexts.auctions.application.bid_steps import Begin, Take
from app.contexts.auctions.application.recover import Terms
from app.contexts.auctions.context import AUCTIONS
from tests.auctions.house import LATE, AuctionHouse, code_of, try_out
from tests.ordering.fates import Death, Fate


async def test_what_is_half_done_is_seen_and_undone(house: AuctionHouse) -> None:
    there, auction = await house.process(RECOVER_EVERY_S="0.05"), await house.auction()
    ann, bob, cat = [await house.bidder(1_000) for _ in range(3)]
    await house.here.bid(house.request(auction, ann, 100, 200))
    with pytest.raises(Death):
        await house.here.bid(house.request(auction, bob, 125, 500), Fate(1, behind=True))
    with pytest.raises(Death):
        await house.here.bid(house.request(auction, cat, 125, 400), Fate(2, behind=True))
    registry = there.container.registry()
    assert AUCTIONS.recovery is not None
    recovery = AUCTIONS.recovery(there.container, house.people.ports)

    def sample(name: str, **labels: str) -> float | None:
        value: float | None = registry.get_sample_value(name, labels)
        return value

    async with recovery.around as looks:
        for look in looks:
            await look()
        assert (sample("strongbox_open_bids"), sample("strongbox_bids_to_release")) == (1, 1)
        assert (sample("strongbox_open_bids_oldest_age_seconds") or 0) > 0
        assert (sample("strongbox_bids_to_release_oldest_age_seconds") or 0) > 0
        await house.all("UPDATE auctions.intents SET created_at = created_at + interval '1 h'")
        stop = asyncio.Event()
        working = [asyncio.create_task(work(stop)) for work in recovery.works]
        await house.all("UPDATE auctions.returns SET created_at = created_at - interval '2 s'")
        await _until(house, ann, (1_000, 0))
        assert await house.wallet(bob) == (500, 500), "what may still be under way is let alone"
        await house.all("UPDATE auctions.intents SET created_at = created_at - interval '1 h 16 s'")
        await _until(house, bob, (1_000, 0))
        stop.set()
        await asyncio.gather(*working)
        for look in looks:
            await look()
    assert (sample("strongbox_open_bids"), sample("strongbox_bids_to_release")) == (0, 0)
    for kind in ("intent", "return"):
        assert (sample("strongbox_auctions_recovery_attempts_total", kind=kind, result="done") or 0) >= 1
    assert await house.stands(auction) == (2, 225, cat, 400)
    assert await house.nothing_is_left(auction)


async def _until(house: AuctionHouse, user: object, wallet: tuple[int, int]) -> None:
    async with asyncio.timeout(300):
        while await house.wallet(user) != wallet:  # type: ignore[arg-type]  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_without_people_there_are_no_tenants_to_look_at(house: AuctionHouse) -> None:
    assert AUCTIONS.recovery is not None
    recovery = AUCTIONS.recovery((await house.process()).container, None)
    async with recovery.around:
        assert recovery.works == ()


async def test_two_workers_take_different_ones(house: AuctionHouse) -> None:
    auction = await house.auction()
    for _ in range(8):
        with pytest.raises(Death):
            await house.here.bid(house.request(auction, await house.bidder(1_000), 100), Fate(1, behind=True))
    there = await house.process()
    await asyncio.gather(house.here.recover(), there.recover())
    assert await house.nothing_is_left(auction)
    assert (await house.stands(auction))[0] == 0


async def test_bids_are_counted_by_what_became_of_them(house: AuctionHouse) -> None:
    there, auction = await house.process(), await house.auction()
    registry, place = there.container.registry(), there.container.place_bid()
    rich, poor = await house.bidder(1_000), await house.bidder()
    for bidder, amount, outcome in ((rich, 100, "placed"), (poor, 1, "bid_too_low"), (poor, 200, "insufficient_funds")):
        request = house.request(auction, bidder, amount)
        for _ in range(2):
            await place(house.request(auction, bidder, amount, key=request.key), LATE)
        assert registry.get_sample_value("strongbox_bids_total", {"outcome": outcome}) == 1


async def test_a_bid_while_funds_are_away_is_nobodys_and_its_key_is_free(house: AuctionHouse) -> None:
    auction, ann = await house.auction(), await house.bidder(1_000)
    request = house.request(auction, ann, 100)
    await house.all("ALTER TABLE holds RENAME TO holds_away")
    assert code_of(await try_out(house.here, request)) not in ("leads", "outbid")
    await house.all("ALTER TABLE holds_away RENAME TO holds")
    await house.here.recover()
    assert (await house.key(request), await house.wallet(ann)) == ([], (1_000, 0))
    again = house.request(auction, ann, 100, key=request.key)
    assert code_of(await try_out(house.here, again)) == "leads"


async def test_a_raise_that_is_being_taken_back_is_nobodys_request_any_more(house: AuctionHouse) -> None:
    auction, ann = await house.auction(), await house.bidder(2_000)
    await house.here.bid(house.request(auction, ann, 100, 200))
    submit, funds = house.here.container.steps().submit, house.here.container.funds.funds()
    intent = await submit(Begin(house.request(auction, ann, 100, 900)))
    await funds.resize(intent.holding, intent.hold(intent.raised), 900)
    take = house.here.container.due().take
    assert (await take(house.tenant, Terms(60.0, 0.0, 0.0, 64))).intents == [], "it may still be under way"
    await house.pass_time(auction, 3_600)
    assert code_of(await submit(Take(intent, intent.raised))) == "AUCTION_CLOSED"
    (found,) = (await take(house.tenant, Terms(60.0, 0.0, 0.0, 64))).intents
    await house.here.clean_up().decide(found)
    assert (await house.wallet(ann), await house.nothing_is_left(auction)) == ((1_800, 200), True)
