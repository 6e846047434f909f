"""Two who check out one cart, or close one order, at once; those who sleep over it; and what changes in the middle."""

import contextlib
from collections.abc import Callable, Iterator

import httpx
import pytest

from app.platform.postgres.pool import IDLE_IN_TRANSACTION_TIMEOUT_MS
from tests.system.crash.deeds import Place, later
from tests.system.crash.fragile import Fragile
from tests.system.crash.proxy import Then
from tests.system.crash.trade import (
    BEFORE,
    ORDER,
    PAID,
    STEPS,
    Deal,
    a_deal,
    all_is_well,
    another_api,
    ask,
    details,
    insist,
    put_in,
)
from tests.system.e2e.crowd import person
from tests.system.e2e.house import body, wait_until

GIVEN_UP_S = IDLE_IN_TRANSACTION_TIMEOUT_MS / 1_000 + 60
LONG = pytest.mark.long


@pytest.fixture
def other(house: Fragile) -> Iterator[Place]:
    """Another API."""
    place = another_api(house)
    yield place
    if place.name in house.processes:
        assert house.stop(place.name) == 0


def code_of(answer: httpx.Response) -> str:
    """What is wrong, if something is."""
    return "" if answer.is_success else str(answer.json()["error"]["code"])


@contextlib.contextmanager
def without_recovery(house: Fragile) -> Iterator[None]:
    """Whoever is asked decides, and nobody else."""
    assert house.stop("recover") == 0
    yield
    house.begin("recover")


@pytest.mark.parametrize("step", ["1a", pytest.param("2", marks=LONG)])
def test_one_key_at_two_apis_is_one_checkout(house: Fragile, other: Place, step: str) -> None:
    deal = a_deal(house)
    with house.postgres.trap(STEPS[step], Then.HOLD) as doing:
        first = later(deal.check_out)
        doing.wait()
        meanwhile = deal.check_out(other)
        assert code_of(meanwhile) == ("UNAVAILABLE" if step == "1a" else "IDEMPOTENCY_IN_PROGRESS")
        assert "Retry-After" in meanwhile.headers
        doing.let_go()
        told = first.result(60)
    again = deal.insist(other)
    assert again.status_code == 201
    assert told.content == again.content or told.status_code == 503
    assert deal.stands() == PAID
    all_is_well(house)


def test_two_keys_at_two_apis_are_one_checkout_and_the_cart_stays_as_it_is_meanwhile(
    house: Fragile, other: Place
) -> None:
    deal = a_deal(house)
    line = {"product_id": deal.products[0], "qty": 1}
    with house.postgres.trap(STEPS["1a"], Then.HOLD) as claiming:
        with house.postgres.trap(STEPS["1b"], Then.HOLD) as reserving:
            first = later(deal.check_out)
            claiming.wait()
            assert code_of(deal.check_out(other, key="another")) == "UNAVAILABLE", "the cart is locked"
            assert code_of(ask(house, deal.buyer, "POST", "/v1/cart/items", other, json=line)) == "UNAVAILABLE"
            claiming.let_go()
            reserving.wait()
            assert code_of(deal.check_out(other, key="another")) == "CHECKOUT_IN_PROGRESS"
            assert code_of(ask(house, deal.buyer, "POST", "/v1/cart/items", other, json=line)) == "CHECKOUT_IN_PROGRESS"
        told = first.result(60)
    assert deal.insist().status_code == 201
    assert told.status_code in (201, 503)
    assert code_of(deal.check_out(other, key="another")) == "CART_EMPTY"
    stands = deal.stands()
    assert stands == PAID._replace(carts=[*PAID.carts, *stands.carts[1:]])
    all_is_well(house)


def test_the_last_piece_is_sold_once_at_two_apis(house: Fragile, other: Place) -> None:
    deal, rival = a_deal(house), person(house, 1_000)
    put_in(house, rival, deal.products[0], 5)

    def buy_all() -> httpx.Response:
        headers = {"Idempotency-Key": "all"}
        return ask(house, rival, "POST", "/v1/orders", other, json={"expected_total": 2_000}, headers=headers)

    with house.postgres.trap(STEPS["1b"], Then.HOLD) as reserving:
        first = later(deal.check_out)
        reserving.wait()
        assert code_of(buy_all()) == "UNAVAILABLE", "what is looked at to be reserved is locked"
        reserving.let_go()
        first.result(60)
    assert deal.insist().status_code == 201
    assert code_of(insist(buy_all)) == "OUT_OF_STOCK"
    assert deal.stands() == PAID
    all_is_well(house)


@pytest.mark.parametrize(
    "step", [pytest.param("1b", marks=LONG), pytest.param("1c", marks=LONG), "2", pytest.param("3b", marks=LONG)]
)
def test_what_an_api_sleeps_over_another_decides_and_it_wakes_up_to_that(
    house: Fragile, other: Place, step: str
) -> None:
    deal = a_deal(house)
    begins = f"{STEPS[step].partition(':')[0]}: BEGIN" if step in ("1b", "2") else STEPS[step]
    with without_recovery(house), house.postgres.trap(begins, Then.HOLD) as doing:
        first = later(deal.check_out)
        doing.wait()
        with house.paused("api"):
            told = deal.insist(other)
            doing.let_go()
        woken = first.exception(GIVEN_UP_S) or first.result()
    assert told.status_code == 201
    # It was asleep for longer than its client would wait: whatever it says now, it is nothing else than what holds.
    if isinstance(woken, httpx.Response):
        assert woken.content == told.content or woken.status_code in (503, 504)
    given_up = [] if step == "3b" else ["cancelled"] * (2 if step == "2" else 0)
    wanted = PAID._replace(orders=[*given_up, *PAID.orders])
    wait_until(lambda: deal.stands() == wanted, f"{wanted}")
    all_is_well(house)


@pytest.mark.parametrize("first", ["ship", pytest.param("cancel", marks=LONG)])
def test_of_shipping_and_cancelling_at_two_apis_at_once_one_happens(house: Fragile, other: Place, first: str) -> None:
    deal = a_deal(house)
    seller, second = deal.sellers[0], "cancel" if first == "ship" else "ship"
    order = deal.paid()[seller]

    def close(how: str, place: Place | None = None) -> httpx.Response:
        return ask(house, seller, "POST", f"/v1/orders/{order}/{how}", place, json={})

    with house.postgres.trap(ORDER, Then.HOLD) as beginning, house.postgres.trap(STEPS["2"], Then.HOLD) as moving:
        doing = later(close, first)
        beginning.wait()
        assert code_of(close(second, other)) == "UNAVAILABLE", "the order is locked"
        beginning.let_go()
        moving.wait()
        refused = close(second, other)
        assert (code_of(refused), body(refused, 409)["error"]["details"]) == ("ORDER_STATE", {"status": "paid"})
        moving.let_go()
        assert doing.result(60).status_code in (200, 503)
    assert insist(lambda: close(first)).status_code == 200
    assert code_of(close(second, other)) == "ORDER_STATE"
    shipped = PAID._replace(wallet=(400, 200), orders=["paid", "shipped"])
    cancelled = PAID._replace(stock=[BEFORE.stock[0], PAID.stock[1]], wallet=(800, 200), orders=["cancelled", "paid"])
    assert deal.stands() == (shipped if first == "ship" else cancelled)
    all_is_well(house)


def edited(price: int, quantity: int) -> Callable[[Deal], int]:
    """Its seller says something else of the lamp; the status of the answer."""

    def edit(deal: Deal) -> int:
        there = ask(deal.house, deal.sellers[0], "GET", f"/v1/products/{deal.products[0]}")
        headers = {"If-Match": there.headers["ETag"]}
        about = details(price, quantity)
        return ask(
            deal.house, deal.sellers[0], "PUT", f"/v1/products/{deal.products[0]}", json=about, headers=headers
        ).status_code

    return edit


def deleted(deal: Deal) -> int:
    """Its seller takes the lamp off the shelf."""
    return ask(deal.house, deal.sellers[0], "DELETE", f"/v1/products/{deal.products[0]}").status_code


def disabled(deal: Deal) -> int:
    """The lamp's seller is let in nowhere any more, once the API has heard of it."""
    deal.house.command("user", "disable", str(deal.sellers[0].id))

    def told() -> int:
        return ask(deal.house, deal.sellers[0], "GET", "/v1/cart").status_code

    wait_until(lambda: told() == 401, "its API to hear of it")
    return 401


MIDDLES = {
    "dearer before it is reserved": ("1b", edited(450, 5), 200, "PRICE_CHANGED"),
    "sold out before it is reserved": ("1b", edited(400, 0), 200, "OUT_OF_STOCK"),
    "deleted before it is reserved": ("1b", deleted, 204, "OUT_OF_STOCK"),
    "seller disabled before it is reserved": ("1b", disabled, 401, ""),
    "dearer before it is paid": ("2", edited(450, 5), 200, ""),
    "fewer than reserved before it is paid": ("2", edited(400, 0), 409, ""),
    "deleted before it is paid": ("2", deleted, 204, ""),
    "seller disabled before it is paid": ("2", disabled, 401, ""),
}
SHORT = ("dearer before it is reserved", "deleted before it is paid", "seller disabled before it is paid")


@pytest.mark.parametrize("middle", [m if m in SHORT else pytest.param(m, marks=LONG) for m in MIDDLES])
def test_what_is_changed_in_the_middle_is_decided_by_what_was_reserved(patient: Fragile, middle: str) -> None:
    house, deal = patient, a_deal(patient)
    step, change, status, code = MIDDLES[middle]
    # What is said first of all in the step: nothing is locked by then.
    begins = f"{STEPS[step].partition(':')[0]}: BEGIN"
    with without_recovery(house), house.postgres.trap(begins, Then.HOLD) as doing:
        asking = later(deal.check_out)
        doing.wait()
        assert change(deal) == status
        doing.let_go()
        told = asking.result(60)
    assert code_of(told) == code
    stands = deal.stands()
    assert stands._replace(stock=[]) == (BEFORE if code else PAID)._replace(stock=[])
    if not code:
        assert [item["price"] for order in told.json()["orders"] for item in order["items"]] in ([400, 100], [100, 400])
        (order,) = (o["order_id"] for o in told.json()["orders"] if o["seller_id"] == str(deal.sellers[0].id))
        back = insist(lambda: ask(house, deal.buyer, "POST", f"/v1/orders/{order}/cancel", json={}))
        assert body(back, 200)["status"] == "cancelled"
        assert deal.stands().stock[0][1:] == (0, 0)
        assert deal.stands().wallet == (800, 200)
    all_is_well(house)
