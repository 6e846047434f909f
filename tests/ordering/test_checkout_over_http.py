"""Checking out and closing over HTTP: the happy path, every refusal, and what the same request gets."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.kernel.money import MAX_MINOR
from app.kernel.principal import Role
from tests.api_harness import error
from tests.fakes.people import Somebody
from tests.ordering.shop import Shop


def pay_in(shop: Shop, user: Somebody, amount: int) -> None:
    """Let somebody have money."""
    shop.query(
        "INSERT INTO wallet_balances (user_id, currency, current_balance, version, updated_at)"
        " VALUES (%s, 'USD', %s, 1, now()) ON CONFLICT (user_id, currency)"
        " DO UPDATE SET current_balance = excluded.current_balance",
        user.id, amount,
    )  # fmt: skip


def check_out(shop: Shop, buyer: Somebody, total: Any, key: str | None = None) -> httpx.Response:
    headers = buyer.bearer | {"Idempotency-Key": key or uuid4().hex}
    return shop.client.post("/v1/orders", json={"expected_total": total}, headers=headers)


def close(shop: Shop, who: Somebody, order_id: object, what: str, **said: Any) -> httpx.Response:
    return shop.client.post(f"/v1/orders/{order_id}/{what}", json=said or None, headers=who.bearer)


def order_of(shop: Shop, seller: Somebody) -> tuple[Somebody, str]:
    """Something is ordered: by whom, and the order."""
    buyer = shop.user()
    pay_in(shop, buyer, 1_250)
    shop.put(buyer, shop.product(seller))
    answer = check_out(shop, buyer, 1_250)
    assert answer.status_code == 201, answer.text
    return buyer, answer.json()["orders"][0]["order_id"]


def test_Checkout_CreatesOrderAndDecrementsInventory(shop: Shop) -> None:  # noqa: N802
    buyer, seller, other = shop.user(), shop.user(), shop.user()
    pay_in(shop, buyer, 10_000)
    lamp, chair = shop.product(seller, price=1_250, quantity=3), shop.product(other, price=400, quantity=5)
    shop.put(buyer, lamp, 2)
    shop.put(buyer, chair, 1)
    answer = check_out(shop, buyer, 2_900, "first")
    assert answer.status_code == 201, answer.text
    orders = {UUID(order["seller_id"]): order for order in answer.json()["orders"]}
    assert {seller_id: order["total"] for seller_id, order in orders.items()} == {seller.id: 2_500, other.id: 400}
    assert {order["status"] for order in orders.values()} == {"paid"}
    rows = shop.query("SELECT id, quantity, reserved, sold FROM catalog.products WHERE id = ANY(%s)", [lamp, chair])
    assert {row[0]: row[1:] for row in rows} == {lamp: (1, 0, 2), chair: (4, 0, 1)}
    wallet = shop.query("SELECT current_balance, held FROM wallet_balances WHERE user_id = %s", buyer.id)
    assert wallet == [(7_100, 2_900)]
    again = check_out(shop, buyer, 2_900, "first")
    assert (again.content, again.headers["idempotent-replayed"]) == (answer.content, "true")
    assert shop.cart(buyer)["items"] == []
    for order in orders.values():
        assert shop.get(buyer, f"/v1/orders/{order['order_id']}").json() == order


def test_refusals_say_what_is_wrong_and_are_stored(shop: Shop) -> None:
    buyer, lamp = shop.user(), shop.product(quantity=1)
    empty = check_out(shop, buyer, 0, "empty")
    assert error(empty, 409, "CART_EMPTY") == {}
    shop.put(buyer, lamp, 2)
    missing = check_out(shop, buyer, 1, "missing")
    assert error(missing, 409, "OUT_OF_STOCK") == {"products": [{"product_id": str(lamp), "available": 1}]}
    shop.edit(lamp, quantity=2, put_in=2)
    dearer = check_out(shop, buyer, 1, "dearer")
    assert error(dearer, 409, "PRICE_CHANGED") == {"total": 2_500}
    poor = check_out(shop, buyer, 2_500, "poor")
    assert error(poor, 409, "INSUFFICIENT_FUNDS") == {"currency": "USD", "current_balance": 0, "amount": 2_500}
    assert [item["qty"] for item in shop.cart(buyer)["items"]] == [2]
    pay_in(shop, buyer, 2_500)
    for before, total, key in ((empty, 0, "empty"), (missing, 1, "missing"), (dearer, 1, "dearer")):
        again = check_out(shop, buyer, total, key)
        assert (again.status_code, again.content) == (409, before.content)
        assert again.headers["idempotent-replayed"] == "true"
    assert check_out(shop, buyer, 2_500, "poor").content == poor.content
    assert check_out(shop, buyer, 2_500, "rich").status_code == 201


def test_a_key_is_one_requests(shop: Shop) -> None:
    buyer = shop.user()
    check_out(shop, buyer, 1, "key")
    error(check_out(shop, buyer, 2, "key"), 422, "IDEMPOTENCY_KEY_REUSED")


def test_a_cart_that_is_being_checked_out_is_let_alone(shop: Shop) -> None:
    buyer, lamp = shop.user(), shop.product()
    pay_in(shop, buyer, 1_250)
    shop.put(buyer, lamp)
    checkout_id = shop.check_out(buyer)
    shop.query(
        "INSERT INTO ordering.checkouts (bucket, tenant_id, user_id, id, cart_id, key, expected_total, currency, lines,"
        " status, created_at, updated_at) SELECT bucket, tenant_id, user_id, checkout_id, id, 'begun', 1250, 'USD',"
        " '[]', 'pending', now(), now() FROM ordering.carts WHERE checkout_id = %s",
        checkout_id,
    )
    refused = check_out(shop, buyer, 1_250, "another")
    error(refused, 409, "CHECKOUT_IN_PROGRESS")
    assert refused.headers["retry-after"] == "1"
    shop.query("DELETE FROM ordering.checkouts WHERE id = %s", checkout_id)
    shop.query("UPDATE ordering.carts SET checkout_id = NULL WHERE checkout_id = %s", checkout_id)
    assert check_out(shop, buyer, 1_250, "another").status_code == 201, "it was not stored"


@pytest.mark.parametrize("total", [None, -1, 1.5, "1", MAX_MINOR + 1, True])
def test_a_total_is_a_whole_number_that_an_amount_can_be(shop: Shop, total: Any) -> None:
    details = error(check_out(shop, shop.user(), total), 400, "VALIDATION_ERROR")
    assert details == {"expected_total": f"must be an integer between 0 and {MAX_MINOR}"}


def test_a_cart_that_nobody_can_pay_is_refused_with_what_it_costs(shop: Shop) -> None:
    buyer, lamp = shop.user(), shop.product(price=1, quantity=1_000)
    shop.put(buyer, lamp, 1_000)
    shop.edit(lamp, price=MAX_MINOR)
    for total in (1_000, MAX_MINOR):
        assert error(check_out(shop, buyer, total), 409, "PRICE_CHANGED") == {"total": MAX_MINOR * 1_000}
    assert shop.cart(buyer)["total"] == MAX_MINOR * 1_000


def test_only_users_check_out_and_each_with_a_key(shop: Shop) -> None:
    machine = shop.people.machine("wallet:receive")
    assert check_out(shop, machine, 1).status_code == 403
    answer = shop.client.post("/v1/orders", json={"expected_total": 1}, headers=shop.user().bearer)
    assert "Idempotency-Key" in error(answer, 400, "VALIDATION_ERROR")


def test_an_order_is_shipped_and_has_arrived(shop: Shop) -> None:
    seller = shop.user()
    buyer, order_id = order_of(shop, seller)
    shipped = close(shop, seller, order_id, "ship", tracking="1Z 999")
    assert shipped.status_code == 200, shipped.text
    assert (shipped.json()["status"], shipped.json()["tracking"]) == ("shipped", "1Z 999")
    assert close(shop, seller, order_id, "ship", tracking="1Z 999").content == shipped.content
    assert error(close(shop, buyer, order_id, "cancel"), 409, "ORDER_STATE") == {"status": "shipped"}
    completed = close(shop, buyer, order_id, "complete")
    assert completed.json()["status"] == "completed"
    assert close(shop, buyer, order_id, "complete").content == completed.content
    assert close(shop, seller, order_id, "ship", tracking="1Z 999").content == completed.content
    for another in ("ship", "cancel"):
        assert error(close(shop, seller, order_id, another), 409, "ORDER_STATE") == {"status": "completed"}


def test_an_order_is_cancelled(shop: Shop) -> None:
    seller = shop.user()
    buyer, order_id = order_of(shop, seller)
    cancelled = close(shop, buyer, order_id, "cancel", reason="it is too large")
    assert cancelled.json()["status"] == "cancelled"
    assert close(shop, buyer, order_id, "cancel", reason="it is too large").content == cancelled.content
    wallet = shop.query("SELECT current_balance, held FROM wallet_balances WHERE user_id = %s", buyer.id)
    assert wallet == [(1_250, 0)]


def test_what_is_not_theirs_is_forbidden_to_the_sides_and_hidden_from_others(shop: Shop) -> None:
    seller, admin = shop.user(), shop.user(role=Role.ADMIN)
    buyer, order_id = order_of(shop, seller)
    error(close(shop, buyer, order_id, "ship"), 403, "FORBIDDEN")
    error(close(shop, seller, order_id, "complete"), 403, "FORBIDDEN")
    for what in ("ship", "complete", "cancel"):
        error(close(shop, shop.user(), order_id, what), 404, "NOT_FOUND")
        error(close(shop, admin, order_id, what), 403, "FORBIDDEN")
        for whoever in (seller, admin):
            error(close(shop, whoever, uuid4(), what), 404, "NOT_FOUND")
    stranger = shop.user(tenant=shop.people.other_tenant)
    error(close(shop, stranger, order_id, "cancel"), 404, "NOT_FOUND")


@pytest.mark.parametrize("text", ["", "x" * 141, "two\nlines", 1, None])
@pytest.mark.parametrize(("what", "member"), [("ship", "tracking"), ("cancel", "reason")])
def test_what_is_said_is_a_line_of_text(shop: Shop, what: str, member: str, text: Any) -> None:
    details = error(close(shop, shop.user(), uuid4(), what, **{member: text}), 400, "VALIDATION_ERROR")
    assert [*details] == [member]
