"""How an auction is opened and closed, by its rules alone."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.contexts.auctions.domain import closing
from app.contexts.auctions.domain.auction import Auction, Closing, Phase, Status
from app.contexts.auctions.domain.opening import Terms
from app.contexts.auctions.domain.refusals import AuctionClosed, AuctionHasBids, BuyNowGone, OwnAuction, Unfit
from app.contexts.catalog.public import ProductId
from app.contexts.funds.public import HoldId
from app.contexts.ordering.public import OrderId
from app.kernel.ids import UserId
from tests.auctions.builders import HOUR, SELLER, after, auction
from tests.builders import NOON, USD

ANN, BOB = UserId(UUID(int=11)), UserId(UUID(int=12))
END = NOON + HOUR
HOLD = HoldId(UUID(int=99))
DAY = timedelta(days=1)


def bid_for(**how: Any) -> Auction:
    """One that Ann leads at 225, with a maximum of 400."""
    return after(auction(**how), (ANN.int, 100, 400), (BOB.int, 125, 200)).auction


def winner_of(closed: Auction) -> tuple[object, ...]:
    return closed.winner_id, closed.winner_hold_id, closed.sold_price_minor


def test_at_its_end_the_leader_has_it_at_the_price() -> None:
    led = bid_for()
    assert led.leader is not None
    ended = closing.end(led, END)
    assert (ended.phase, ended.closing, ended.closing_at) == (Phase.CLOSING, Closing.END, END)
    assert winner_of(ended) == (ANN, led.leader.hold_id, 225)
    assert closing.lost_hold(ended) is None


def test_before_its_end_nobody_ends_it_and_behind_it_one_does() -> None:
    led = bid_for()
    for stands, at in ((led, END - timedelta(microseconds=1)), (closing.end(led, END), END)):
        assert not closing.is_due(stands, at)
        with pytest.raises(AuctionClosed):
            closing.end(stands, at)


def test_without_a_bid_nobody_has_it() -> None:
    ended = closing.end(auction(), END)
    assert (winner_of(ended), closing.lost_hold(ended)) == ((None, None, None), None)


def test_below_the_reserve_nobody_has_it_and_the_leader_has_the_money_back() -> None:
    led = bid_for(reserve_price_minor=401)
    assert led.leader is not None
    ended = closing.end(led, END)
    assert winner_of(ended) == (None, None, None)
    assert closing.lost_hold(ended) == led.leader.hold_id
    met = after(auction(reserve_price_minor=400), (ANN.int, 100, 400)).auction
    assert winner_of(closing.end(met, END))[2] == 400


def test_it_is_bought_at_its_price_whatever_the_maxima() -> None:
    led = bid_for(buy_now_price_minor=300)
    assert led.leader is not None
    bought = closing.buy(led, BOB, "key", HOLD, NOON)
    assert (bought.phase, bought.closing, bought.buyer_key) == (Phase.CLOSING, Closing.BUY, "key")
    assert winner_of(bought) == (BOB, HOLD, 300)
    assert closing.lost_hold(bought) == led.leader.hold_id
    by_the_leader = closing.buy(led, ANN, "key", HOLD, NOON)
    assert closing.lost_hold(by_the_leader) == led.leader.hold_id, "one has the money for the bid back"


@pytest.mark.parametrize("price", [None, 225, 224])
def test_what_the_bids_have_come_to_is_not_to_be_had_at_once(price: int | None) -> None:
    with pytest.raises(BuyNowGone):
        closing.price_to_buy(bid_for(buy_now_price_minor=price), BOB, NOON)


@pytest.mark.parametrize(
    ("buyer", "at", "refusal"),
    [
        (SELLER, END, OwnAuction),
        (BOB, NOON - timedelta(microseconds=1), AuctionClosed),
        (BOB, END, AuctionClosed),
    ],
)
def test_a_purchase_is_refused_as_a_bid_is(buyer: UserId, at: datetime, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        closing.price_to_buy(bid_for(), buyer, at)


def test_its_seller_calls_it_off_while_there_is_no_bid_and_admins_do_until_it_has_ended() -> None:
    for stands, may_always in ((auction(), False), (bid_for(), True)):
        called_off = closing.cancel(stands, SELLER, NOON, may_always=may_always)
        assert (called_off.phase, called_off.closing, called_off.closing_by) == (Phase.CLOSING, Closing.CANCEL, SELLER)
        assert winner_of(called_off) == (None, None, None)
    with pytest.raises(AuctionHasBids):
        closing.cancel(bid_for(), SELLER, NOON, may_always=False)
    assert closing.cancel(bid_for(), None, END + DAY, may_always=True).closing is Closing.CANCEL


def test_what_is_sold_is_not_called_off_any_more_and_what_was_called_off_stays_so() -> None:
    for stands in (closing.end(bid_for(), END), closing.finish(closing.end(auction(), END), None, END)):
        with pytest.raises(AuctionClosed):
            closing.cancel(stands, None, END, may_always=True)
    called_off = closing.cancel(auction(), SELLER, NOON, may_always=False)
    over = closing.finish(called_off, None, NOON)
    for stands in (called_off, over):
        assert closing.cancel(stands, SELLER, END, may_always=False) is stands


def test_it_is_over_once_with_an_event_of_its_own() -> None:
    led, order = bid_for(), OrderId(uuid4())
    begun = closing.end(led, END)
    assert begun.status(END) is Status.LIVE, "until it is decided what came of it"
    over = closing.finish(begun, order, END)
    assert (over.phase, over.order_id, over.closed_at) == (Phase.ENDED, order, END)
    assert over.last_event_id == led.last_event_id + 1
    assert closing.finish(over, OrderId(uuid4()), END) is over
    assert closing.finish(closing.cancel(led, None, NOON, may_always=True), None, NOON).phase is Phase.CANCELLED


@pytest.mark.parametrize("led", [True, False])
def test_an_order_without_a_winner_is_nobodys_and_the_other_way_round(led: bool) -> None:
    begun = closing.end(bid_for() if led else auction(), END)
    with pytest.raises(ValueError, match="without a"):
        closing.finish(begun, None if led else OrderId(uuid4()), END)


def test_nobody_leads_what_was_called_off_or_bought() -> None:
    for begun in (
        closing.cancel(bid_for(), None, NOON, may_always=True),
        closing.buy(bid_for(buy_now_price_minor=500), BOB, "key", HOLD, NOON),
    ):
        assert begun.shown_leader == begun.leader
        order = None if begun.winner_id is None else OrderId(uuid4())
        assert closing.finish(begun, order, NOON).shown_leader is None
    ended = closing.finish(closing.end(bid_for(), END), OrderId(uuid4()), END)
    assert ended.shown_leader == ended.leader


def terms(starts_at: datetime | None, ends_at: datetime) -> Terms:
    return Terms(
        product_id=ProductId(uuid4()),
        currency=USD,
        starting_price_minor=1,
        reserve_price_minor=None,
        buy_now_price_minor=None,
        starts_at=starts_at,
        ends_at=ends_at,
    )


@pytest.mark.parametrize("lasts", [timedelta(minutes=1), timedelta(days=30)])
@pytest.mark.parametrize("start", [None, NOON - DAY, NOON, NOON + DAY])
def test_it_takes_a_minute_to_thirty_days_from_its_start_or_from_now(start: datetime | None, lasts: timedelta) -> None:
    begins = max(start or NOON, NOON)
    assert terms(start, begins + lasts).times(NOON) == (begins, begins + lasts)
    for more in (timedelta(microseconds=-1), timedelta(microseconds=1)):
        wrong = terms(start, begins + lasts + more)
        if timedelta(minutes=1) <= lasts + more <= timedelta(days=30):
            assert wrong.times(NOON).ends_at == begins + lasts + more
        else:
            with pytest.raises(Unfit) as refused:
                wrong.times(NOON)
            assert refused.value.member == "ends_at"


def test_nobody_reserves_a_piece_for_next_year() -> None:
    latest = NOON + timedelta(days=365)
    assert terms(latest, latest + DAY).times(NOON).starts_at == latest
    with pytest.raises(Unfit) as refused:
        terms(latest + DAY, latest + 2 * DAY).times(NOON)
    assert refused.value.member == "starts_at"
