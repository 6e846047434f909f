"""Whoever opens, closes, buys or calls off an auction dies between two steps, before and behind each COMMIT: another
finishes it the same way, or it has never been.
"""

import pytest

from app.kernel.principal import Role
from tests.system.crash.fragile import Fragile
from tests.system.crash.lots import (
    BOUGHT,
    BUYING,
    CANCELLED,
    CANCELLING,
    ENDED,
    ENDING,
    LED,
    OPENING,
    SOLD,
    STOCK,
    all_is_well,
    an_auction,
    opening,
    worker_behind_the_proxy,
    worker_dies,
)
from tests.system.crash.test_market_dies import ANOTHER, RECOVERY, is_behind, points
from tests.system.crash.trade import ENDS, another_api, ask, dies, insist, product, seen
from tests.system.e2e.crowd import people
from tests.system.e2e.house import body, wait_until

WORKERS = [(step, end) for step in ENDING for end in ENDS]
SHORT = (("1 decided", "before"), ("4 order", "behind"))


@pytest.mark.parametrize(
    ("step", "end"),
    [pytest.param(*row, id=" ".join(row), marks=() if row in SHORT else pytest.mark.long) for row in WORKERS],
)
def test_an_auction_whose_worker_dies_ends_once_by_another(house: Fragile, step: str, end: str) -> None:
    auction = an_auction(house)
    with worker_behind_the_proxy(house):
        worker_dies(house, ENDING[step], end, auction.end, SOLD if step == "5 over" else None)
    refused = body(insist(auction.buy), 409)["error"]
    assert (refused["code"], refused["details"]["status"]) == (
        "AUCTION_CLOSED", "ended" if (step, end) == ("5 over", "behind") else "live",
    )  # fmt: skip
    house.begin("recover")
    auction.comes_to(ENDED)
    all_is_well(house)


@points(BUYING, "3 decided before another api", "5 order behind recovery")
def test_a_purchase_whose_api_dies_is_an_order_or_has_never_been(house: Fragile, step: str, end: str, by: str) -> None:
    auction = an_auction(house)
    if by == ANOTHER:
        house.stop("recover")
    dies(house, BUYING[step], end, auction.buy, SOLD if step == "6 over" else None)
    is_sold = is_behind(step, end, "3 decided")
    if by == RECOVERY:
        auction.comes_to(BOUGHT if is_sold else LED)
        house.begin("api")
    else:
        other = another_api(house)
        assert other.house is house
        house.begin("api")
        house.begin("recover")
    told = insist(auction.buy)
    assert body(told, 201)["order"]["status"] == "paid"
    assert insist(auction.buy).content == told.content
    auction.comes_to(BOUGHT)
    all_is_well(house)


@points(CANCELLING, "2 money behind another api")
def test_an_auction_whose_api_dies_calling_it_off_is_off_whole_and_once(
    house: Fragile, step: str, end: str, by: str
) -> None:
    auction = an_auction(house)
    (admin,) = people(house, 1, role=Role.ADMIN)
    if by == ANOTHER:
        house.stop("recover")
    dies(house, CANCELLING[step], end, lambda: auction.cancel(admin), STOCK if step == "4 over" else None)
    if by == RECOVERY:
        auction.comes_to(CANCELLED if is_behind(step, end, "1 decided") else LED)
        house.begin("api")
        told = insist(lambda: auction.cancel(admin))
    else:
        other = another_api(house)
        told = insist(lambda: auction.cancel(admin, other))
        house.begin("api")
        house.begin("recover")
    assert body(told, 200)["status"] == "cancelled"
    auction.comes_to(CANCELLED)
    all_is_well(house)


@points(OPENING, "2 stock behind recovery")
def test_an_opening_whose_api_dies_is_an_auction_or_has_never_been(
    house: Fragile, step: str, end: str, by: str
) -> None:
    (seller,) = people(house, 1, role=Role.SELLER)
    lamp = product(house, seller, 400, quantity=1)
    if by == ANOTHER:
        house.stop("recover")
    dies(house, OPENING[step], end, lambda: ask(house, seller, "POST", "/v1/auctions", json=opening(lamp)))
    if by == ANOTHER:
        house.begin("recover")
    house.begin("api")
    is_open = (step, end) == ("3 open", "behind")
    stock = "SELECT quantity, reserved, sold FROM catalog.products WHERE id = %s"
    wait_until(lambda: seen(house, stock, lamp) == [(1, int(is_open), 0)], "its piece to be where it belongs")
    all_is_well(house)
    again = insist(lambda: ask(house, seller, "POST", "/v1/auctions", json=opening(lamp)))
    assert again.status_code == (409 if is_open else 201), again.text
