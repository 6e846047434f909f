"""Sales over real processes: signed in by a wallet, browsed, put into the cart, ordered, shipped, paid for."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.main.local.roles import Urls
from tests.identity.wallets import Wallet, at, message_text
from tests.system.e2e.conftest import measured
from tests.system.e2e.house import House, body, wait_until
from tests.system.e2e.people import SignedIn, added, machine, somebody

FEE_BP = 250
MONEY = 10_000
PRICE = 2_500


@pytest.fixture(scope="module")
def house(module_database: Urls, rabbitmq_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Every process of Strongbox, whose house takes a fee."""
    folder: Path = tmp_path_factory.mktemp("house")
    with measured(module_database, rabbitmq_url, folder, MARKET_FEE_BP=str(FEE_BP)) as house:
        yield house


@pytest.fixture(scope="module")
def bank(house: House) -> SignedIn:
    """A machine that pays in."""
    return machine(house, "wallet:receive")


@pytest.fixture(scope="module")
def seller(house: House) -> SignedIn:
    """Somebody who may sell."""
    return added(house, "seller")


def by_wallet(house: House) -> SignedIn:
    """Somebody new, who has signed in with a wallet."""
    wallet = Wallet(uuid4().int)
    given = body(httpx.get(f"{house.api_url}/v1/auth/nonce"), 200)
    said = {name: given[name] for name in ("domain", "uri", "nonce")}
    text = message_text(**said, address=wallet.address, issued_at=at(0, datetime.now(UTC)))
    signed = {"message": text, "signature": wallet.sign(text)}
    answer = body(httpx.post(f"{house.api_url}/v1/auth/siwe", json=signed), 200)
    return SignedIn(house, answer["user"]["user_id"], None, answer["access_token"])


def fee_of(total: int) -> int:
    """What of it is the house's."""
    return total * FEE_BP // 10_000


def listed(seller: SignedIn, **members: Any) -> dict[str, Any]:
    """A product of the seller's."""
    said = {"title": f"A kettle {uuid4().hex}", "condition": "new", "price": PRICE, "currency": "USD", "quantity": 3}
    product: dict[str, Any] = body(seller.ask("POST", "/v1/products", json=said | members), 201)
    return product


def put(buyer: SignedIn, product: dict[str, Any], qty: int = 1) -> dict[str, Any]:
    """The cart with that in it."""
    line = {"product_id": product["product_id"], "qty": qty}
    cart: dict[str, Any] = body(buyer.ask("POST", "/v1/cart/items", json=line), 201)
    return cart


def check_out(buyer: SignedIn, total: int) -> httpx.Response:
    """What becomes of the cart. Who is told that others hold what is sold asks again by the same key, as clients do."""
    headers, answers = {"Idempotency-Key": uuid4().hex}, list[httpx.Response]()

    def is_known() -> bool:
        answers.append(buyer.ask("POST", "/v1/orders", json={"expected_total": total}, headers=headers))
        code = answers[-1].json().get("error", {}).get("code")
        return code not in ("UNAVAILABLE", "IDEMPOTENCY_IN_PROGRESS", "CHECKOUT_IN_PROGRESS")

    wait_until(is_known, "the checkout to be decided")
    return answers[-1]


def money_of(person: SignedIn) -> tuple[int, int]:
    """What somebody can spend, and what is set aside."""
    (balance,) = body(person.ask("GET", "/v1/wallet"), 200)["balances"]
    return balance["current_balance"], balance["held"]


def test_signed_in_by_wallet_somebody_browses_fills_the_cart_checks_out_and_is_debited(
    house: House, bank: SignedIn, seller: SignedIn
) -> None:
    head = added(house, "admin")
    slug, word = f"c-{uuid4().hex[:8]}", f"w{uuid4().hex}"
    category = body(head.ask("POST", "/v1/categories", json={"name": "Kitchen", "slug": slug}), 201)
    product = listed(seller, title=f"A {word} kettle", category_id=category["category_id"])
    buyer = by_wallet(house)
    body(bank.receive(buyer.id, MONEY), 201)

    assert slug in [each["slug"] for each in body(buyer.ask("GET", "/v1/categories"), 200)["categories"]]
    found = body(buyer.ask("GET", f"/v1/products?q={word}&category={slug}&in_stock=true"), 200)
    assert [each["product_id"] for each in found["products"]] == [product["product_id"]]
    seen = buyer.ask("GET", f"/v1/products/{product['product_id']}")
    assert (body(seen, 200)["available"], seen.headers["ETag"]) == (3, '"1"')
    assert put(buyer, product, 2)["total"] == 2 * PRICE

    (order,) = body(check_out(buyer, 2 * PRICE), 201)["orders"]
    assert (order["status"], order["total"], order["fee"]) == ("paid", 2 * PRICE, fee_of(2 * PRICE))
    assert money_of(buyer) == (MONEY - 2 * PRICE, 2 * PRICE)
    assert body(buyer.ask("GET", "/v1/cart"), 200)["items"] == []
    assert body(buyer.ask("GET", f"/v1/products/{product['product_id']}"), 200)["quantity"] == 1
    body(seller.ask("POST", f"/v1/orders/{order['order_id']}/ship"), 200)
    assert money_of(buyer) == (MONEY - 2 * PRICE, 0)
    kinds = [line["kind"] for line in body(buyer.ask("GET", "/v1/wallet/transactions"), 200)["transactions"]]
    assert {"HOLD", "CAPTURE_OUT"} <= set(kinds)
    house.verify()


def test_what_a_seller_creates_is_sold_and_its_status_moves_from_paid_to_shipped_to_completed(
    house: House, bank: SignedIn
) -> None:
    seller, buyer = added(house, "seller"), somebody(house)
    body(bank.receive(buyer.id, MONEY), 201)
    product = listed(seller)
    assert product["seller_id"] == seller.id
    put(buyer, product)
    (order,) = body(check_out(buyer, PRICE), 201)["orders"]
    path, statuses = f"/v1/orders/{order['order_id']}", [order["status"]]
    (sold,) = body(seller.ask("GET", "/v1/orders?as=seller"), 200)["orders"]
    assert (sold["order_id"], sold["buyer_id"]) == (order["order_id"], buyer.id)
    for who, what, said in ((seller, "ship", {"tracking": "1Z 999"}), (buyer, "complete", None)):
        statuses.append(body(who.ask("POST", f"{path}/{what}", json=said), 200)["status"])
        assert body(buyer.ask("GET", path), 200)["status"] == statuses[-1]
    assert statuses == ["paid", "shipped", "completed"]
    assert (money_of(seller), money_of(buyer)) == ((PRICE - fee_of(PRICE), 0), (MONEY - PRICE, 0))
    told = [f"order.{status}" for status in statuses]
    wait_until(lambda: house.trail(order["order_id"]) == told, "the audit trail")
    shown = house.command("orders", "show", order["order_id"])
    assert "shipped: the money is its seller's" in shown
    assert f" {PRICE} USD" in shown
    house.verify()


def test_three_pieces_are_sold_once_each_to_eight_who_want_one_at_once(house: House, bank: SignedIn) -> None:
    seller = added(house, "seller")
    product, buyers = listed(seller, quantity=3), [somebody(house) for _ in range(8)]
    for buyer in buyers:
        body(bank.receive(buyer.id, MONEY), 201)
        put(buyer, product)
    with ThreadPoolExecutor(len(buyers)) as threads:
        answers = list(threads.map(lambda buyer: check_out(buyer, PRICE), buyers))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 5
    for buyer, answer in zip(buyers, answers, strict=True):
        if answer.status_code == 201:
            assert money_of(buyer) == (MONEY - PRICE, PRICE)
        else:
            assert body(answer, 409)["error"]["code"] == "OUT_OF_STOCK"
            assert money_of(buyer) == (MONEY, 0)
            assert len(body(buyer.ask("GET", "/v1/cart"), 200)["items"]) == 1
    shown = house.command("stock", "show", product["product_id"])
    assert shown.count("TAKEN") == 3
    house.verify()


def test_recovery_shows_that_nothing_of_the_market_is_left_half_done(house: House) -> None:
    def shown() -> dict[str, str]:
        text = httpx.get(f"http://127.0.0.1:{house.environment['RECOVER_METRICS_PORT']}/metrics").text
        return dict(line.split() for line in text.splitlines() if line.startswith("strongbox_") and "{" not in line)

    names = (
        "pending_checkouts", "open_closings", "reservations", "stock_disagreements", "cache_deletions",
    )  # fmt: skip
    wait_until(lambda: [shown().get(f"strongbox_{name}") for name in names] == ["0.0"] * 5, "recovery's gauges")
