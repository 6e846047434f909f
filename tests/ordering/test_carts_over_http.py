"""A cart, from HTTP down to the rows."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from app.contexts.ordering.domain.cart import MOST_LINES, MOST_PIECES
from app.kernel.money import MAX_MINOR
from tests.api_harness import error
from tests.fakes.people import Somebody
from tests.ordering.shop import Shop


def shown(cart: Any, *members: str) -> list[tuple[Any, ...]]:
    """These members of each of its items."""
    return [tuple(item[member] for member in members) for item in cart["items"]]


def test_everybody_has_one_cart_which_is_empty_at_first(shop: Shop) -> None:
    alice, bob = shop.user(), shop.user()
    first = shop.cart(alice)
    assert first == {"cart_id": first["cart_id"], "items": [], "total": 0, "currency": None}
    assert shop.cart(alice) == first
    assert shop.cart(bob)["cart_id"] != first["cart_id"]


def test_what_is_put_in_is_shown_with_its_price_and_how_much_there_is(shop: Shop) -> None:
    alice, lamp, chair = shop.user(), shop.product(), shop.product(title="a chair", price=7, quantity=0)
    assert shop.put(alice, lamp, 2).status_code == 201
    answer = shop.put(alice, str(chair).upper(), 10)
    cart = answer.json()
    assert shown(cart, "product_id", "title", "qty", "price", "currency", "available") == [
        (str(lamp), "a lamp", 2, 1_250, "USD", 3),
        (str(chair), "a chair", 10, 7, "USD", 0),
    ]
    assert (cart["total"], cart["currency"]) == (2_570, "USD")
    assert shop.cart(alice) == cart


def test_the_same_again_adds_up(shop: Shop) -> None:
    alice, lamp = shop.user(), shop.product()
    first = shop.put(alice, lamp, 2).json()
    again = shop.put(alice, lamp, 5).json()
    assert shown(again, "item_id", "qty") == [(first["items"][0]["item_id"], 7)]


def test_a_line_is_changed_and_taken_out(shop: Shop) -> None:
    alice, lamp, chair = shop.user(), shop.product(), shop.product(price=7)
    shop.put(alice, lamp)
    first, second = shop.put(alice, chair).json()["items"]
    changed = shop.change(alice, first["item_id"], MOST_PIECES)
    assert (changed.status_code, changed.json()["total"]) == (200, 1_250 * MOST_PIECES + 7)
    removed = shop.remove(alice, first["item_id"])
    assert (removed.status_code, shown(removed.json(), "item_id")) == (200, [(second["item_id"],)])
    last = shop.remove(alice, second["item_id"]).json()
    assert (last["items"], last["total"], last["currency"]) == ([], 0, None)
    assert shop.cart(alice) == last


def test_every_line_is_at_todays_price(shop: Shop) -> None:
    alice, lamp = shop.user(), shop.product()
    shop.put(alice, lamp, 2)
    shop.edit(lamp, price=999, title="a red lamp")
    cart = shop.cart(alice)
    assert (shown(cart, "title", "price"), cart["total"]) == ([("a red lamp", 999)], 1_998)


@pytest.mark.parametrize("how", ["deleted", "in another currency"])
def test_what_is_gone_stays_as_it_was_put_in(shop: Shop, how: str) -> None:
    alice, lamp, chair = shop.user(), shop.product(), shop.product(price=7, quantity=5)
    shop.put(alice, lamp, 2)
    shop.put(alice, chair, 1)
    if how == "deleted":
        shop.query("UPDATE catalog.products SET deleted_at = now() WHERE id = %s", lamp)
    else:
        shop.edit(lamp, currency="EUR", price=1_000)
    cart = shop.cart(alice)
    assert shown(cart, "title", "price", "currency", "available") == [
        ("a lamp", 1_250, "USD", 0),
        ("a lamp", 7, "USD", 5),
    ]
    assert (cart["total"], cart["currency"]) == (2_507, "USD")


def test_what_is_not_active_is_shown_and_cannot_be_had(shop: Shop) -> None:
    alice, lamp = shop.user(), shop.product()
    shop.put(alice, lamp)
    shop.edit(lamp, is_active=False, price=1_300)
    assert shown(shop.cart(alice), "price", "available") == [(1_300, 0)]


def test_a_cart_costs_no_more_than_an_amount_can_be_until_prices_rise(shop: Shop) -> None:
    alice, lamp, other = shop.user(), shop.product(price=MAX_MINOR), shop.product(price=1)
    why = {"qty": f"the cart would cost more than {MAX_MINOR}"}
    assert error(shop.put(alice, lamp, 2), 400, "VALIDATION_ERROR") == why
    item_id = shop.put(alice, lamp).json()["items"][0]["item_id"]
    assert error(shop.put(alice, other), 400, "VALIDATION_ERROR") == why
    changed = shop.client.put(f"/v1/cart/items/{item_id}", json={"qty": 2}, headers=alice.bearer)
    assert error(changed, 400, "VALIDATION_ERROR") == why
    assert shop.cart(alice)["total"] == MAX_MINOR
    shop.edit(lamp, price=1)
    shop.put(alice, lamp, MOST_PIECES - 1)
    shop.edit(lamp, price=MAX_MINOR)
    assert shop.cart(alice)["total"] == MAX_MINOR * MOST_PIECES
    fewer = shop.client.put(f"/v1/cart/items/{item_id}", json={"qty": 1}, headers=alice.bearer)
    assert fewer.json()["total"] == MAX_MINOR


def test_a_product_that_there_is_not_is_not_found(shop: Shop) -> None:
    alice = shop.user()
    elsewhere = shop.product(tenant=shop.people.other_tenant)
    gone = shop.product()
    shop.query("UPDATE catalog.products SET deleted_at = now() WHERE id = %s", gone)
    bodies = set()
    for product in (uuid4(), elsewhere, gone):
        answer = shop.put(alice, product)
        error(answer, 404, "NOT_FOUND")
        bodies.add(answer.content)
    assert len(bodies) == 1


def test_somebody_elses_item_is_as_one_that_there_is_not(shop: Shop) -> None:
    alice, mallory = shop.user(), shop.user()
    theirs = shop.put(alice, shop.product()).json()["items"][0]["item_id"]
    for answer, other in (
        (shop.change(mallory, theirs, 2), shop.change(mallory, uuid4(), 2)),
        (shop.remove(mallory, theirs), shop.remove(mallory, uuid4())),
    ):
        error(answer, 404, "NOT_FOUND")
        assert answer.content == other.content
    assert shown(shop.cart(alice), "qty") == [(1,)]


def test_nobody_puts_in_what_they_sell(shop: Shop) -> None:
    seller = shop.user()
    answer = shop.put(seller, shop.product(seller))
    error(answer, 409, "OWN_PRODUCT")
    assert shop.cart(seller)["items"] == []


def test_a_cart_is_of_one_currency(shop: Shop) -> None:
    alice, euros = shop.user(), shop.product(currency="EUR")
    first = shop.put(alice, shop.product()).json()["items"][0]["item_id"]
    answer = shop.put(alice, euros)
    error(answer, 409, "CURRENCY_MIXED")
    shop.remove(alice, first)
    assert shop.put(alice, euros).json()["currency"] == "EUR"


def test_pieces_add_up_to_so_many_at_the_most(shop: Shop) -> None:
    alice, lamp = shop.user(), shop.product()
    shop.put(alice, lamp, MOST_PIECES)
    answer = shop.put(alice, lamp, 1)
    assert list(error(answer, 400, "VALIDATION_ERROR")) == ["qty"]
    assert shown(shop.cart(alice), "qty") == [(MOST_PIECES,)]


def test_a_cart_has_so_many_lines_at_the_most(shop: Shop) -> None:
    alice = shop.user()
    for _ in range(MOST_LINES):
        assert shop.put(alice, shop.product()).status_code == 201
    answer = shop.put(alice, shop.product())
    assert list(error(answer, 400, "VALIDATION_ERROR")) == ["product_id"]
    assert len(shop.cart(alice)["items"]) == MOST_LINES


def test_a_cart_that_is_checked_out_refuses_changes_and_is_shown(shop: Shop) -> None:
    alice, lamp = shop.user(), shop.product()
    cart = shop.put(alice, lamp).json()
    item = cart["items"][0]["item_id"]
    shop.check_out(alice)
    for answer in (shop.put(alice, lamp), shop.change(alice, item, 2), shop.remove(alice, item)):
        error(answer, 409, "CHECKOUT_IN_PROGRESS")
        assert answer.headers["retry-after"] == "1"
    assert shop.cart(alice) == cart


def test_behind_a_checkout_there_is_a_new_cart(shop: Shop) -> None:
    alice, lamp = shop.user(), shop.product()
    cart = shop.put(alice, lamp).json()
    shop.check_out(alice)
    shop.query("UPDATE ordering.carts SET status = 'checked_out' WHERE user_id = %s", alice.id)
    again = shop.put(alice, lamp, 3).json()
    assert again["cart_id"] != cart["cart_id"]
    assert shown(again, "qty") == [(3,)]


async def test_whoever_looks_for_the_first_time_many_times_at_once_gets_one_cart(shop: Shop) -> None:
    alice = shop.user()
    async with httpx.AsyncClient(base_url=shop.client.base_url, headers=alice.bearer, timeout=60) as client:
        answers = await asyncio.gather(*(client.get("/v1/cart") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["cart_id"] for answer in answers}) == 1


async def test_of_what_comes_at_once_nothing_is_lost(shop: Shop) -> None:
    alice, lamp = shop.user(), shop.product()
    async with httpx.AsyncClient(base_url=shop.client.base_url, headers=alice.bearer, timeout=60) as client:
        body = {"product_id": str(lamp), "qty": 1}
        answers = await asyncio.gather(*(client.post("/v1/cart/items", json=body) for _ in range(20)))
    assert [answer.status_code for answer in answers] == [201] * 20
    assert shown(shop.cart(alice), "qty") == [(20,)]
    assert shop.query("SELECT count(*) FROM ordering.carts WHERE user_id = %s", alice.id) == [(1,)]


async def test_a_change_waits_for_a_checkout_that_begins_and_then_sees_it(shop: Shop) -> None:
    alice, lamp = shop.user(), shop.product()
    shop.put(alice, lamp)
    async with await psycopg.AsyncConnection.connect(shop.superuser_url) as checkout:
        await checkout.execute("SELECT 1 FROM ordering.carts WHERE user_id = %s FOR UPDATE", [alice.id])
        putting = asyncio.create_task(asyncio.to_thread(shop.put, alice, lamp))
        await _somebody_waits(shop, alice)
        await checkout.execute("UPDATE ordering.carts SET checkout_id = %s WHERE user_id = %s", [uuid4(), alice.id])
        await checkout.commit()
    answer = await putting
    error(answer, 409, "CHECKOUT_IN_PROGRESS")


async def test_a_change_that_waited_for_a_checkout_to_be_paid_goes_into_the_next_cart(shop: Shop) -> None:
    alice, lamp = shop.user(), shop.product()
    cart = shop.put(alice, lamp).json()
    async with await psycopg.AsyncConnection.connect(shop.superuser_url) as checkout:
        await checkout.execute(
            "UPDATE ordering.carts SET checkout_id = %s, status = 'checked_out' WHERE user_id = %s",
            [uuid4(), alice.id],
        )
        putting = asyncio.create_task(asyncio.to_thread(shop.put, alice, lamp, 4))
        await _somebody_waits(shop, alice)
        await checkout.commit()
    answer = await putting
    assert (answer.status_code, shown(answer.json(), "qty")) == (201, [(4,)])
    assert answer.json()["cart_id"] != cart["cart_id"]


async def _somebody_waits(shop: Shop, somebody: Somebody) -> None:
    """Until a statement over carts waits for another's lock."""
    waiting = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        " AND query LIKE '%%ordering.carts%%'"
    )
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(shop.query, waiting):  # noqa: ASYNC110 -- it is the database's to say
            await asyncio.sleep(0.02)
