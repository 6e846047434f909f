"""An API dies between any two steps of a checkout, of shipping or of cancelling, before and behind each COMMIT: another
process finishes it, or it has never been.
"""

import pytest

from tests.system.crash.deeds import wallet_of
from tests.system.crash.fragile import Fragile
from tests.system.crash.trade import (
    BEFORE,
    ENDS,
    GIVEN_UP,
    ORDER,
    PAID,
    STEPS,
    Deal,
    a_deal,
    all_is_well,
    another_api,
    ask,
    dies,
    insist,
)
from tests.system.e2e.house import body

RECOVERY, ANOTHER = "recovery", "another api"
"""Who finishes it."""


def points(steps: dict[str, str], *short: str) -> pytest.MarkDecorator:
    """Each step, before and behind its COMMIT, finished by either: the long form but for the short ones."""
    ids = [(f"{step} {end} {by}", step, end, by) for step in steps for end in ENDS for by in (RECOVERY, ANOTHER)]
    assert {id_ for id_, *_ in ids} >= {*short}
    return pytest.mark.parametrize(
        ("step", "end", "by"),
        [pytest.param(*row, id=id_, marks=() if id_ in short else pytest.mark.long) for id_, *row in ids],
    )


def is_behind(step: str, end: str, deciding: str) -> bool:
    """Whether the COMMIT of the step that decides was there by then."""
    return (step, end) == (deciding, "behind") or step > deciding


@points(STEPS, "1c behind another api", "2 behind recovery")
def test_a_checkout_whose_api_dies_is_paid_or_has_never_been(house: Fragile, step: str, end: str, by: str) -> None:
    deal = a_deal(house)
    if by == ANOTHER:
        house.stop("recover")
    dies(house, STEPS[step], end, deal.check_out)
    has_held, has_orders = is_behind(step, end, "2"), is_behind(step, end, "1c")
    if by == RECOVERY:
        deal.wait_until_over()
        given_up = BEFORE._replace(orders=GIVEN_UP if has_orders else [])
        assert deal.stands() == (PAID if has_held else given_up)
        assert deal.stored() == [(201,)] * has_held, "who asks again is told, or has the key to himself"
        house.begin("api")
        told = deal.insist()
    else:
        other = another_api(house)
        told = deal.insist(other)
        assert deal.insist(other).content == told.content
        house.begin("api")
        house.begin("recover")
    assert {order["status"] for order in body(told, 201)["orders"]} == {"paid"}
    assert deal.insist().content == told.content
    assert body(deal.check_out(key="another"), 409)["error"]["code"] == "CART_EMPTY"
    before = [] if has_held or not has_orders else GIVEN_UP
    stands = deal.stands()
    assert stands == PAID._replace(orders=[*before, *PAID.orders], carts=[*PAID.carts, *stands.carts[1:]])
    all_is_well(house)


SHIPPING = {"1 closing": ORDER, "2 money": STEPS["2"], "4 status": ORDER}
CANCELLING = {"1 closing": ORDER, "2 money": STEPS["2"], "3 stock": STEPS["3a"], "4 status": ORDER}


def closed(house: Fragile, deal: Deal, path: str, words: str, row: tuple[str, str, str]) -> None:
    """Have the lamp's order paid, ask its seller's API to close it, and let that one die and another finish it."""
    step, end, by = row
    seller = deal.sellers[0]
    order = deal.paid()[seller]
    if by == ANOTHER:
        house.stop("recover")
    after = STEPS["2"] if step == "4 status" else None
    dies(house, words, end, lambda: ask(house, seller, "POST", f"/v1/orders/{order}/{path}", json={}), after)
    begun = is_behind(step, end, "1 closing")
    if by == RECOVERY and begun:
        deal.wait_until_over()
        assert sorted(deal.stands().orders) == sorted(["paid", "shipped" if path == "ship" else "cancelled"])
    other = another_api(house) if by == ANOTHER else None
    if other is None:
        house.begin("api")
    told = insist(lambda: ask(house, seller, "POST", f"/v1/orders/{order}/{path}", other, json={}))
    assert body(told, 200)["status"] == ("shipped" if path == "ship" else "cancelled")
    if other:
        house.begin("api")
        house.begin("recover")
    opposite = "cancel" if path == "ship" else "ship"
    refused = ask(house, seller, "POST", f"/v1/orders/{order}/{opposite}", json={})
    assert body(refused, 409)["error"]["code"] == "ORDER_STATE"


@points(SHIPPING, "2 money behind recovery")
def test_an_order_whose_api_dies_shipping_it_is_shipped_and_paid_for_once(
    house: Fragile, step: str, end: str, by: str
) -> None:
    deal = a_deal(house)
    closed(house, deal, "ship", SHIPPING[step], (step, end, by))
    assert deal.stands() == PAID._replace(wallet=(400, 200), orders=["paid", "shipped"])
    assert wallet_of(house, deal.sellers[0]) == (360, 0), "400 less the fee of a tenth"
    all_is_well(house)


@points(CANCELLING, "3 stock behind another api")
def test_an_order_whose_api_dies_cancelling_it_is_back_whole_and_once(
    house: Fragile, step: str, end: str, by: str
) -> None:
    deal = a_deal(house)
    closed(house, deal, "cancel", CANCELLING[step], (step, end, by))
    stock = [BEFORE.stock[0], PAID.stock[1]]
    assert deal.stands() == PAID._replace(stock=stock, wallet=(800, 200), orders=["cancelled", "paid"])
    all_is_well(house)
