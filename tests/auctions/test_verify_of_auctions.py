"""Whatever contradicts itself between auctions, bids and holds is found, and nothing else."""

from uuid import UUID, uuid4

import pytest

from app.contexts.auctions.domain.ids import AuctionId
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.operation_id import OperationId
from tests.auctions.house import AuctionHouse
from tests.auctions.verified import offenders
from tests.ordering.fates import Death, Fate


async def contested(house: AuctionHouse) -> tuple[AuctionId, UserId]:
    """An auction with a few bids, and who leads it."""
    auction = await house.auction(ends_s=1_800, extend_s=3_600)
    ann, bob = await house.bidder(9_000), await house.bidder(9_000)
    for bidder, amount, most in ((ann, 100, 200), (bob, 125, 400), (bob, 1, 500), (ann, 250, 450)):
        await house.here.bid(house.request(auction, bidder, amount, most))
    return auction, bob


async def test_what_is_right_and_what_is_under_way_is_held_against_nobody(house: AuctionHouse) -> None:
    auction, bob = await contested(house)
    for at in (0, 1):
        with pytest.raises(Death):
            await house.here.bid(house.request(auction, bob, 500, 600 + at), Fate(at, behind=True))
    assert await offenders(house) == []
    await house.here.recover()
    assert await offenders(house) == []


REPLAY, COUNTS, HOLDS = "bids_make_their_auctions", "auctions_count_without_gaps", "leaders_and_holds_agree"
TAMPERINGS = {
    "UPDATE auctions.auctions SET price = price + 1 WHERE id = %(auction)s": {REPLAY},
    "UPDATE auctions.auctions SET second_max = second_max - 1 WHERE id = %(auction)s": {REPLAY},
    "UPDATE auctions.auctions SET ends_at = ends_at + interval '1 us' WHERE id = %(auction)s": {REPLAY},
    "UPDATE auctions.auctions SET leader_max = leader_max + 1 WHERE id = %(auction)s": {REPLAY, HOLDS},
    "UPDATE auctions.auctions SET leader_max = leader_max - 1 WHERE id = %(auction)s": {REPLAY},
    "UPDATE auctions.auctions SET last_event_id = last_event_id + 1 WHERE id = %(auction)s": {REPLAY, COUNTS},
    "UPDATE auctions.auctions SET bid_count = bid_count - 1 WHERE id = %(auction)s": {REPLAY, COUNTS},
    "UPDATE auctions.auctions SET bidder_count = bidder_count + 1 WHERE id = %(auction)s": {REPLAY, COUNTS},
    "UPDATE auctions.bids SET max_amount = max_amount + 1 WHERE auction_id = %(auction)s AND sequence = 1": {REPLAY},
    "UPDATE auctions.bids SET created_at = created_at + interval '1 h' WHERE auction_id = %(auction)s"
    " AND sequence = 1": {REPLAY},
    "UPDATE auctions.bids SET amount = 1 WHERE auction_id = %(auction)s AND sequence = 2": {REPLAY},
    "DELETE FROM auctions.bids WHERE auction_id = %(auction)s AND sequence = 4": {REPLAY, COUNTS},
    "DELETE FROM auctions.bids WHERE auction_id = %(auction)s AND sequence = 1": {REPLAY, COUNTS},
    "DELETE FROM auctions.events WHERE auction_id = %(auction)s AND event_id = 2": {COUNTS},
    "DELETE FROM auctions.bidders WHERE auction_id = %(auction)s AND ordinal = 1": {COUNTS},
    "UPDATE holds SET status = 'RELEASED', released = amount, closed_at = now() WHERE id = %(hold)s": {HOLDS},
    "UPDATE holds SET amount = amount - 1 WHERE id = %(hold)s": {HOLDS},
    "DELETE FROM holds WHERE id = %(hold)s": {HOLDS},
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
async def test_a_contradiction_is_found(house: AuctionHouse, tampering: str) -> None:
    auction, _ = await contested(house)
    ((hold_id,),) = await house.all("SELECT leader_hold_id FROM auctions.auctions WHERE id = %s", auction)
    await house.owner.execute(tampering.encode(), {"hold": hold_id, "auction": auction})
    found = await offenders(house)
    assert {name for name, _ in found} == TAMPERINGS[tampering], found
    assert all(str(auction) in line for _, line in found), "it says where"
    for table in ("bids", "bidders", "events", "intents", "returns"):
        await house.all(f"DELETE FROM auctions.{table} WHERE auction_id = %s", auction)
    await house.all("DELETE FROM auctions.auctions WHERE id = %s", auction)
    await house.all("DELETE FROM catalog.reservation_lines WHERE business_id = %s", auction)
    await house.all("DELETE FROM holds WHERE id = %s", hold_id)


async def test_a_hold_that_is_open_for_nothing_is_found_once_it_is_a_few_seconds_old(house: AuctionHouse) -> None:
    ann, nothing = await house.bidder(100), UUID(int=uuid4().int)
    funds = house.here.container.funds.funds()
    await funds.hold(OperationId("auctions", nothing, "hold"), house.tenant, ann, Money(7, Currency("USD")), None)
    for age_s, names in ((0, []), (6, [HOLDS])):
        aged = "UPDATE holds SET created_at = clock_timestamp() - make_interval(secs => %s) WHERE business_id = %s"
        await house.all(aged, age_s, nothing)
        assert [name for name, _ in await offenders(house)] == names
    await house.all("DELETE FROM holds WHERE business_id = %s", nothing)


async def test_what_is_half_done_for_long_is_found(house: AuctionHouse) -> None:
    auction, _ = await contested(house)
    ann, bob = await house.bidder(1_000), await house.bidder(2_000)
    with pytest.raises(Death):
        await house.here.bid(house.request(auction, ann, 500), Fate(1, behind=True))
    with pytest.raises(Death):
        await house.here.bid(house.request(auction, bob, 600, 1_000), Fate(2, behind=True))
    for age_s, names in ((5, set()), (26, {"no_bid_is_half_done"})):
        for table in ("intents", "returns"):
            await house.all(f"UPDATE auctions.{table} SET created_at = now() - interval '{age_s} s'")
        assert {name for name, _ in await offenders(house)} == names
    assert len(await offenders(house)) == 2
    await house.here.recover()
    assert await offenders(house) == []
