"""Orders as their buyers, their sellers and admins read them."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.kernel.principal import Role
from tests.api_harness import error
from tests.fakes.people import Somebody
from tests.ordering.shop import Shop


def listed(shop: Shop, who: Somebody, **query: Any) -> list[UUID]:
    answer = shop.get(who, "/v1/orders", **query)
    assert answer.status_code == 200, answer.text
    return [UUID(order["order_id"]) for order in answer.json()["orders"]]


def pages(shop: Shop, who: Somebody, **query: Any) -> Iterator[list[UUID]]:
    """All pages of a list, one after the other."""
    cursor: dict[str, str] = {}
    while True:
        answer = shop.get(who, "/v1/orders", **query, **cursor).json()
        yield [UUID(order["order_id"]) for order in answer["orders"]]
        if answer["next_cursor"] is None:
            return
        cursor = {"cursor": answer["next_cursor"]}


def test_an_order_is_as_it_was_made(shop: Shop) -> None:
    buyer, seller = shop.user(), shop.user(role=Role.SELLER)
    hold = uuid4()
    order_id = shop.order(buyer, seller, hold_id=hold, tracking="1Z", status="shipped")
    order = shop.get(buyer, f"/v1/orders/{order_id}").json()
    (item,) = order["items"]
    assert (item["title"], item["qty"], item["price"]) == ("a lamp", 2, 1_250)
    assert (order["buyer_id"], order["seller_id"]) == (str(buyer.id), str(seller.id))
    assert (order["total"], order["fee"], order["currency"], order["status"]) == (2_500, 25, "USD", "shipped")
    assert (order["payment_ref"], order["tracking"]) == (str(hold), "1Z")


def test_one_that_is_not_paid_has_no_hold(shop: Shop) -> None:
    buyer = shop.user()
    order_id = shop.order(buyer, shop.user(), hold_id=None, status="pending")
    order = shop.get(buyer, f"/v1/orders/{order_id}").json()
    assert (order["status"], order["payment_ref"], order["tracking"]) == ("pending", None, None)


def test_it_is_there_for_its_buyer_its_seller_and_admins(shop: Shop) -> None:
    buyer, seller, admin = shop.user(), shop.user(role=Role.SELLER), shop.user(role=Role.ADMIN)
    order_id = shop.order(buyer, seller)
    answers = [shop.get(who, f"/v1/orders/{str(order_id).upper()}") for who in (buyer, seller, admin)]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


def test_for_everybody_else_it_is_as_one_that_there_is_not(shop: Shop) -> None:
    order_id = shop.order(shop.user(), shop.user())
    strangers = [
        shop.user(),
        shop.user(role=Role.SELLER),
        shop.user(role=Role.ADMIN, tenant=shop.people.other_tenant),
    ]
    answers = [shop.get(who, f"/v1/orders/{order_id}") for who in strangers]
    answers.append(shop.get(strangers[0], f"/v1/orders/{uuid4()}"))
    for answer in answers:
        error(answer, 404, "NOT_FOUND")
    assert len({answer.content for answer in answers}) == 1


def test_one_lists_what_one_bought_what_one_sold_or_both(shop: Shop) -> None:
    alice, bob = shop.user(role=Role.SELLER), shop.user(role=Role.SELLER)
    bought = shop.order(alice, bob, minutes_ago=3)
    sold = shop.order(bob, alice, minutes_ago=2)
    again = shop.order(alice, bob, minutes_ago=1)
    shop.order(bob, shop.user())
    assert listed(shop, alice, **{"as": "buyer"}) == [again, bought]
    assert listed(shop, alice, **{"as": "seller"}) == [sold]
    assert listed(shop, alice) == [again, sold, bought]
    assert listed(shop, shop.user()) == []


def test_admins_list_all_of_their_tenant_and_no_others(shop: Shop) -> None:
    tenant = shop.people.other_tenant
    alice, bob, admin = (shop.user(tenant=tenant, role=role) for role in (Role.CUSTOMER, Role.SELLER, Role.ADMIN))
    first = shop.order(alice, bob, minutes_ago=2)
    own = shop.order(admin, bob, minutes_ago=1)
    assert listed(shop, admin) == [own, first]
    assert listed(shop, admin, **{"as": "buyer"}) == [own]
    assert listed(shop, admin, **{"as": "seller"}) == []


@pytest.mark.parametrize("side", ["buyer", "seller", None])
def test_pages_follow_each_other_without_gaps_also_among_those_of_one_moment(shop: Shop, side: str | None) -> None:
    alice, bob = shop.user(), shop.user()
    ids = [UUID(int=uuid4().int) for _ in range(7)]
    for n, order_id in enumerate(ids):
        buyer, seller = (alice, bob) if side == "buyer" or (side is None and n % 2) else (bob, alice)
        shop.order(buyer, seller, id=order_id)
    shop.query("UPDATE ordering.orders SET created_at = now() WHERE id = ANY(%s)", ids)
    found = list(pages(shop, alice, limit=3, **({"as": side} if side else {})))
    assert [len(page) for page in found] == [3, 3, 1]
    assert [order_id for page in found for order_id in page] == sorted(ids, reverse=True)


def test_a_last_page_that_is_full_has_no_next(shop: Shop) -> None:
    alice = shop.user()
    for _ in range(2):
        shop.order(alice, shop.user())
    assert [len(page) for page in pages(shop, alice, limit=2)] == [2]


def test_a_cursor_is_its_owners_and_its_filters(shop: Shop) -> None:
    alice, bob = shop.user(), shop.user()
    for _ in range(2):
        shop.order(alice, bob)
    cursor = shop.get(alice, "/v1/orders", limit=1).json()["next_cursor"]
    assert shop.get(alice, "/v1/orders", limit=2, cursor=cursor).status_code == 200
    for who, query in ((bob, {}), (alice, {"as": "buyer"})):
        assert list(error(shop.get(who, "/v1/orders", cursor=cursor, **query), 400, "VALIDATION_ERROR")) == ["cursor"]
