"""Checkouts over real processes: from the shelf to the buyer's door, and through deaths in between."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.system.e2e.house import House, body, wait_until
from tests.system.e2e.people import SignedIn, added, admin, machine, somebody


@pytest.fixture(scope="module")
def seller(house: House) -> SignedIn:
    """An admin, who sells."""
    return admin(house)


@pytest.fixture(scope="module")
def bank(house: House) -> SignedIn:
    """A machine that pays in."""
    return machine(house, "wallet:receive")


def lamp(seller: SignedIn, quantity: int = 3) -> str:
    """Something that is for sale."""
    about = {"title": "A lamp", "condition": "new", "price": 1_250, "currency": "USD", "quantity": quantity}
    return str(body(seller.ask("POST", "/v1/products", json=about), 201)["product_id"])


def buyer(house: House, bank: SignedIn, product_id: str) -> SignedIn:
    """Somebody with money, and two of it in the cart."""
    new = somebody(house)
    body(bank.receive(new.id, 2_500), 201)
    body(new.ask("POST", "/v1/cart/items", json={"product_id": product_id, "qty": 2}), 201)
    return new


def check_out(who: SignedIn, key: str) -> httpx.Response:
    return who.ask("POST", "/v1/orders", json={"expected_total": 2_500}, headers={"Idempotency-Key": key})


@contextmanager
def frozen(house: House, table: str) -> Iterator[None]:
    """Nobody writes into the table."""
    with psycopg.connect(house.database.owner_url) as owner:
        owner.execute(f"LOCK TABLE {table} IN SHARE MODE".encode())
        yield


def somebody_waits(house: House) -> bool:
    """Whether somebody is kept from telling of an order."""
    waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'ordering.outbox_events'::regclass"
    return (
        house.query(f"{waiting} AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") != []
    )


def decided(who: SignedIn, key: str) -> httpx.Response:
    """What the same request gets once it is known."""
    answers: list[httpx.Response] = []

    def is_known() -> bool:
        answers.append(check_out(who, key))
        code = answers[-1].json().get("error", {}).get("code")
        return code not in ("IDEMPOTENCY_IN_PROGRESS", "CHECKOUT_IN_PROGRESS", "UNAVAILABLE")

    wait_until(is_known, "the checkout to be decided")
    return answers[-1]


def left_of(who: SignedIn, product_id: str) -> Any:
    product = body(who.ask("GET", f"/v1/products/{product_id}"), 200)
    return product["quantity"], product["available"]


def test_a_lamp_is_sold_shipped_and_arrives(house: House, seller: SignedIn, bank: SignedIn) -> None:
    product_id = lamp(seller)
    alice = buyer(house, bank, product_id)
    (order,) = body(check_out(alice, "lamp"), 201)["orders"]
    assert (order["status"], alice.balance(), left_of(alice, product_id)) == ("paid", 0, (1, 1))
    shipped = body(seller.ask("POST", f"/v1/orders/{order['order_id']}/ship", json={"tracking": "1Z"}), 200)
    assert (shipped["status"], shipped["tracking"], seller.balance()) == ("shipped", "1Z", 2_500)
    assert body(alice.ask("POST", f"/v1/orders/{order['order_id']}/complete"), 200)["status"] == "completed"
    told = ["order.paid", "order.shipped", "order.completed"]
    wait_until(lambda: house.trail(order["order_id"]) == told, "the audit trail")
    house.verify()


def test_a_checkout_that_cannot_be_written_is_given_up_and_its_key_is_free(
    house: House, seller: SignedIn, bank: SignedIn
) -> None:
    product_id = lamp(seller)
    alice = buyer(house, bank, product_id)
    with frozen(house, "ordering.orders"):
        assert check_out(alice, "frozen").status_code == 503
    answer = decided(alice, "frozen")
    assert (answer.status_code, answer.headers.get("Idempotent-Replayed")) == (201, None), "it is a new checkout"
    assert left_of(alice, product_id) == (1, 1)
    house.verify()


def test_a_checkout_that_is_paid_for_is_finished_by_recovery(house: House, seller: SignedIn, bank: SignedIn) -> None:
    product_id, key = lamp(seller), uuid4().hex
    alice = buyer(house, bank, product_id)
    with ThreadPoolExecutor(1) as thread:
        with frozen(house, "ordering.outbox_events"):
            asking = thread.submit(check_out, alice, key)
            # On a slow machine it may have waited, and been refused, unseen: that is for recovery as well.
            wait_until(lambda: somebody_waits(house) or asking.done(), "the checkout to be at its end")
            house.stop("api", signal.SIGKILL)
        with suppress(httpx.TransportError):
            assert asking.result().status_code == 503
    house.start_api()
    answer = decided(alice, key)
    assert (answer.status_code, answer.headers.get("Idempotent-Replayed")) == (201, "true")
    assert (alice.balance(), left_of(alice, product_id)) == (0, (1, 1))
    house.verify()


def test_what_a_disabled_seller_offers_is_bought_until_an_admin_takes_it_away_and_costs_nobody_anything(
    house: House, seller: SignedIn, bank: SignedIn
) -> None:
    gone = added(house, "seller")
    product_id = lamp(gone)
    alice, bob = buyer(house, bank, product_id), buyer(house, bank, product_id)
    disabled = seller.ask("PATCH", f"/v1/users/{gone.id}", json={"is_active": False})
    assert body(disabled, 200)["user"]["is_active"] is False
    (order,) = body(check_out(alice, "gone"), 201)["orders"]
    path = f"/v1/orders/{order['order_id']}"
    wait_until(lambda: gone.ask("POST", f"{path}/ship").status_code == 401, "the seller to be let in nowhere")
    assert body(alice.ask("POST", f"{path}/cancel"), 200)["status"] == "cancelled"
    assert (alice.balance(), left_of(bob, product_id)) == (2_500, (3, 3))
    assert seller.ask("DELETE", f"/v1/products/{product_id}").status_code == 204
    refused = body(check_out(bob, "gone"), 409)["error"]
    assert (refused["code"], refused["details"]["products"][0]["available"]) == ("OUT_OF_STOCK", 0)
    house.verify()
