"""The rules of auctions: what the page says, and the same as a second model of them, which is slow and obvious."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.contexts.auctions.domain.auction import MOST_EVENTS, Phase
from app.contexts.auctions.domain.events import EventType, told_of
from app.contexts.auctions.domain.ids import BidId
from app.contexts.auctions.domain.refusals import AuctionClosed, BidTooLow, OwnAuction
from app.contexts.auctions.domain.steps import Steps
from app.kernel.ids import UserId
from app.kernel.money import MAX_MINOR
from app.platform.process.uuid7 import uuid7
from tests.auctions.builders import EXTEND, HOUR, SELLER, after, auction, offer
from tests.auctions.model import Model
from tests.builders import NOON

ANN, BOB, CAT = 11, 12, 13
MINUTE = timedelta(minutes=1)


def test_the_first_bid_leads_at_the_starting_price() -> None:
    placed = after(auction(), (ANN, 100, 400))
    assert (placed.auction.price_minor, placed.auction.minimum_bid_minor) == (100, 125)
    assert (placed.bid.sequence, placed.bid.ordinal, placed.bid.is_leading) == (1, 1, True)


def test_without_a_bid_the_least_is_the_starting_price() -> None:
    opened = auction()
    assert (opened.minimum_bid_minor, opened.current_price_minor) == (100, 100)
    with pytest.raises(BidTooLow) as refused:
        opened.place(offer(ANN, 99), NOON)
    assert refused.value.minimum_bid == 100


def test_a_lower_maximum_raises_the_price_to_a_step_above_itself() -> None:
    placed = after(auction(), (ANN, 100, 400), (BOB, 125, 200))
    assert (placed.auction.price_minor, placed.bid.is_leading) == (225, False)
    assert placed.auction.is_leading(UserId(UUID(int=ANN)))


def test_a_higher_maximum_leads_at_a_step_above_the_last_leaders() -> None:
    placed = after(auction(), (ANN, 100, 400), (BOB, 125, 1_000))
    assert (placed.auction.price_minor, placed.bid.is_leading) == (425, True)
    assert placed.auction.second_max_minor == 400


def test_nobody_pays_more_than_their_maximum() -> None:
    assert after(auction(), (ANN, 100, 400), (BOB, 125, 410)).auction.price_minor == 410
    assert after(auction(), (ANN, 100, 400), (BOB, 125, 390)).auction.price_minor == 400


def test_of_equal_maxima_the_earlier_leads() -> None:
    placed = after(auction(), (ANN, 100, 400), (BOB, 125, 400))
    assert (placed.auction.price_minor, placed.bid.is_leading) == (400, False)


def test_the_amount_says_only_whether_it_is_enough() -> None:
    assert after(auction(), (ANN, 300, 400)).auction.price_minor == 100


def test_the_reserve_is_paid_by_whose_maximum_reaches_it() -> None:
    kept = auction(reserve_price_minor=300)
    below, met = after(kept, (ANN, 100, 299)).auction, after(kept, (ANN, 100, 400)).auction
    assert (below.price_minor, below.is_reserve_met) == (100, False)
    assert (met.price_minor, met.is_reserve_met) == (300, True)
    raised = after(kept, (ANN, 100, 299), (ANN, 1, 300)).auction
    assert (raised.price_minor, raised.is_reserve_met) == (300, True)


def test_without_a_reserve_it_is_met_and_without_a_bid_it_is_not() -> None:
    assert auction().is_reserve_met
    assert not auction(reserve_price_minor=100).is_reserve_met


def test_a_raise_is_a_bid_and_not_its_own_second() -> None:
    placed = after(auction(), (ANN, 100, 400), (ANN, 100, 900))
    assert (placed.auction.price_minor, placed.auction.second_max_minor) == (100, None)
    assert (placed.bid.sequence, placed.bid.ordinal, placed.auction.bidder_count) == (2, 1, 1)


def test_a_raise_beyond_an_equal_second_pays_the_step_above_it() -> None:
    assert after(auction(), (ANN, 100, 400), (BOB, 125, 400), (ANN, 1, 900)).auction.price_minor == 425


def test_a_raise_has_to_be_above_ones_own_maximum_whatever_its_amount() -> None:
    led = after(auction(), (ANN, 100, 400)).auction
    with pytest.raises(BidTooLow) as refused:
        led.place(offer(ANN, 400, 400, ordinal=1), NOON)
    assert refused.value.minimum_bid == 125, "nobody's maximum is told, not even to whose it is"
    assert led.place(offer(ANN, 1, 401, ordinal=1), NOON).bid.is_leading


def test_whoever_was_outbid_has_to_bid_as_any() -> None:
    led = after(auction(), (ANN, 100, 400), (BOB, 125, 1_000)).auction
    with pytest.raises(BidTooLow) as refused:
        led.place(offer(ANN, 449, 2_000, ordinal=1), NOON)
    assert refused.value.minimum_bid == 450
    assert led.place(offer(ANN, 450, 2_000, ordinal=1), NOON).auction.price_minor == 1_100


@pytest.mark.parametrize("bidder", [SELLER.int, ANN])
@pytest.mark.parametrize("minutes", [-1, 60])
def test_refusals_come_in_the_order_of_the_page(bidder: int, minutes: int) -> None:
    refusal = OwnAuction if bidder == SELLER.int else AuctionClosed
    with pytest.raises(refusal):
        auction().place(offer(bidder, 1), NOON + minutes * MINUTE)


@pytest.mark.parametrize(
    ("phase", "minutes", "status"),
    [
        (Phase.OPEN, -1, "scheduled"),
        (Phase.OPEN, 60, "live"),
        (Phase.CLOSING, 30, "live"),
        (Phase.ENDED, 90, "ended"),
        (Phase.CANCELLED, 30, "cancelled"),
    ],
)
def test_what_is_not_on_takes_no_bids_and_says_how_it_is_shown(phase: Phase, minutes: int, status: str) -> None:
    with pytest.raises(AuctionClosed) as refused:
        auction(phase=phase).place(offer(ANN, 100), NOON + minutes * MINUTE)
    assert refused.value.status == status


def test_the_start_is_in_and_the_end_is_not() -> None:
    opened, least = auction(), timedelta(microseconds=1)
    assert opened.place(offer(ANN, 100), NOON).bid.sequence == 1
    assert opened.place(offer(ANN, 100), NOON + HOUR - least).bid.sequence == 1
    for at in (NOON - least, NOON + HOUR):
        with pytest.raises(AuctionClosed):
            opened.place(offer(ANN, 100), at)


def test_a_late_bid_moves_the_end_to_its_own_time_and_that() -> None:
    opened, at = auction(), NOON + HOUR - MINUTE
    first = opened.place(offer(ANN, 100), at)
    assert (first.is_extended, first.auction.ends_at) == (True, at + EXTEND)
    second = first.auction.place(offer(BOB, 125), at + MINUTE)
    assert second.auction.ends_at == at + MINUTE + EXTEND, "from its own time on, not from the old end"
    early = opened.place(offer(ANN, 100), NOON + HOUR - EXTEND)
    assert (early.is_extended, early.auction.ends_at) == (False, NOON + HOUR)


def test_each_event_has_a_number_of_its_own_and_a_later_end_is_one() -> None:
    placed = after(auction(), (ANN, 100, 100), minutes=59)
    told = told_of(placed, uuid7, "trace")
    assert [(e.type, e.auction.last_event_id) for e in told] == [(EventType.BID, 2), (EventType.EXTENDED, 3)]
    assert {e.occurred_at for e in told} == {placed.bid.created_at}
    (one,) = told_of(after(auction(), (ANN, 100, 100)), uuid7, None)
    assert (one.type.word, one.auction.last_event_id) == ("bid", 2)


def test_the_last_events_are_for_the_end_and_the_second_half_for_others_than_the_leader() -> None:
    led = after(auction(), (ANN, 100, 400)).auction
    half = replace(led, last_event_id=MOST_EVENTS // 2 - 1)
    with pytest.raises(AuctionClosed):
        half.place(offer(ANN, 1, 500, ordinal=1), NOON)
    assert half.place(offer(BOB, 125), NOON).bid.sequence == 2
    with pytest.raises(AuctionClosed):
        replace(led, last_event_id=MOST_EVENTS - 2).place(offer(BOB, 125), NOON)
    assert replace(led, last_event_id=MOST_EVENTS - 3).place(offer(BOB, 125), NOON).auction.last_event_id < MOST_EVENTS


def test_amounts_end_where_money_does() -> None:
    placed = after(auction(), (ANN, 100, MAX_MINOR), (BOB, 125, MAX_MINOR - 1))
    assert placed.auction.price_minor == placed.auction.minimum_bid_minor == MAX_MINOR


def test_a_raise_under_way_is_forgotten_with_whoever_leads() -> None:
    led = after(auction(), (ANN, 100, 400)).auction
    assert led.leader is not None
    raising = replace(led, leader=replace(led.leader, raising=BidId(uuid7())))
    for bid in (offer(BOB, 125, 900), offer(ANN, 1, 401, ordinal=1)):
        leader = raising.place(bid, NOON).auction.leader
        assert leader is not None
        assert leader.raising is None
    kept = raising.place(offer(BOB, 125, 130), NOON).auction.leader
    assert kept == raising.leader


_ATTEMPTS = st.lists(
    st.tuples(
        st.integers(0, 4),  # who: the seller is one of them
        st.integers(-60, 700),  # about the least that is taken
        st.one_of(st.integers(0, 40), st.integers(0, 900)),  # how much more they would go
        st.sampled_from([0, 1, 40, 300, 900]),  # seconds later
    ),
    max_size=40,
)


@settings(max_examples=400, deadline=None)
@given(
    attempts=_ATTEMPTS,
    starting=st.integers(1, 300),
    reserve=st.one_of(st.none(), st.integers(0, 600)),
    extend_s=st.sampled_from([0, 1, 60, 120, 3_600]),
    table=st.sampled_from(["0:1", "0:5/100:25/1000:100", "0:50/300:3"]),
    lasts_s=st.sampled_from([60, 600, 3_600]),
)
def test_it_is_the_auction_of_the_slow_model(
    attempts: list[tuple[int, int, int, int]],
    starting: int,
    reserve: int | None,
    extend_s: int,
    table: str,
    lasts_s: int,
) -> None:
    asked: dict[str, Any] = {"reserve_price_minor": None if reserve is None else starting + reserve}
    end, extend, steps = NOON + timedelta(seconds=lasts_s), timedelta(seconds=extend_s), Steps.read(table)
    fast = auction(starting_price_minor=starting, planned_end=end, extend=extend, steps=steps, **asked)
    slow = Model("1", starting, asked["reserve_price_minor"], list(steps.table), extend, NOON, end)
    at, ordinals = NOON - timedelta(seconds=1), dict[int, int]()
    for who, near, more, later in attempts:
        at += timedelta(seconds=later)
        bidder, amount = who + 1, max(1, fast.minimum_bid_minor + near)
        before = fast
        try:
            placed = fast.place(offer(bidder, amount, amount + more, ordinal=ordinals.get(bidder)), at)
        except (OwnAuction, AuctionClosed, BidTooLow) as refusal:
            code: str | None = refusal.code
        else:
            code = None
            fast, ordinals[bidder] = placed.auction, placed.bid.ordinal
        assert slow.bid(str(bidder), amount, amount + more, at) == code
        if code is None:
            assert placed.bid.price_minor == slow.price() >= before.price_minor, "the price never falls"
            assert slow.masks()[placed.bid.ordinal - 1] == str(bidder)
            assert placed.bid.is_leading == (slow.leader() == str(bidder))
        leader = fast.leader
        assert (leader and str(leader.user_id.int)) == slow.leader()
        assert (leader is None) or leader.max_minor == slow.most_of(slow.bids)[str(leader.user_id.int)]
        assert (fast.price_minor, fast.minimum_bid_minor) == (slow.price(), slow.minimum())
        assert (fast.ends_at, fast.is_reserve_met) == (slow.end(), slow.is_reserve_met())
        assert (fast.bid_count, fast.bidder_count) == (len(slow.bids), len(slow.masks()))
        assert fast.last_event_id == slow.events()
