"""PostgreSQL dies under checkouts, and the relay under what the market tells: no piece is sold twice, nothing is told
twice or out of order.
"""

import uuid
from collections import Counter

import pytest

from app.kernel.principal import Role
from tests.system.crash.deeds import later
from tests.system.crash.fragile import Fragile
from tests.system.crash.proxy import Then
from tests.system.crash.test_outbox import CONFIRM
from tests.system.crash.trade import STEPS, a_deal, all_is_well, ask, details, insist, product, put_in, seen
from tests.system.e2e.crowd import Person, people
from tests.system.e2e.house import body, wait_until

PIECES, BUYERS = 4, 8
"""Of each product."""


@pytest.mark.parametrize("step", ["2", pytest.param("1b", marks=pytest.mark.long)])
def test_postgresql_killed_under_checkouts_sells_every_piece_once(house: Fragile, step: str) -> None:
    (seller,) = people(house, 1, role=Role.SELLER)
    products = [product(house, seller, 100, PIECES) for _ in range(3)]
    wanted = [(buyer, products[n % 3]) for n, buyer in enumerate(people(house, 3 * BUYERS, 1_000))]
    for buyer, product_id in wanted:
        put_in(house, buyer, product_id)

    def buy(buyer: Person, key: str) -> str:
        headers = {"Idempotency-Key": key}
        path = "/v1/orders"
        told = insist(lambda: ask(house, buyer, "POST", path, json={"expected_total": 100}, headers=headers))
        return "paid" if told.status_code == 201 else str(body(told, 409)["error"]["code"])

    pid = house.processes["api"].pid
    with house.postgres.trap(STEPS[step], Then.HOLD) as doing:
        buying = [later(buy, buyer, str(uuid.uuid4())) for buyer, _ in wanted]
        doing.wait()
        house.server.kill()
        house.server.stop()
        house.server.start()
        doing.let_go()
        told = [each.result(180) for each in buying]
    ends = Counter(zip((product_id for _, product_id in wanted), told, strict=True))
    assert ends == {
        (product_id, end): pieces
        for product_id in products
        for end, pieces in (("paid", PIECES), ("OUT_OF_STOCK", BUYERS - PIECES))
    }
    all_is_well(house)
    stocks = "SELECT quantity, reserved, sold FROM catalog.products WHERE seller_id = %s"
    assert seen(house, stocks, seller.id) == [(0, 0, PIECES)] * 3
    held = "SELECT sum(held) FROM wallet_balances WHERE user_id = ANY(%s)"
    assert seen(house, held, [buyer.id for buyer, _ in wanted]) == [(3 * PIECES * 100,)]
    assert house.processes["api"].pid == pid
    assert house.processes["api"].poll() is None


@pytest.mark.parametrize(
    "then", [pytest.param(Then.HOLD, id="before a publish", marks=pytest.mark.long),
             pytest.param(Then.LOSE_THE_ANSWER, id="behind a publish, before its confirm")],
)  # fmt: skip
def test_what_the_market_tells_is_audited_once_and_in_order_though_the_relay_dies(house: Fragile, then: Then) -> None:
    house.stop("relay")
    told = _busy(house)
    with house.rabbitmq.trap("publish", then, CONFIRM) as publishing:
        house.begin("relay")
        publishing.wait()
        if then is not Then.HOLD:
            publishing.wait_for_the_answer()
        house.kill("relay")
        publishing.drop()
    house.begin("relay")
    find = "SELECT type FROM audit.events WHERE subject = %s ORDER BY position"
    wait_until(lambda: all(len(seen(house, find, of)) >= len(types) for of, types in told.items()), "the trail", 60)
    all_is_well(house)
    assert {of: [type_ for (type_,) in seen(house, find, of)] for of in told} == told


def _busy(house: Fragile) -> dict[str, list[str]]:
    """All that can be told of products and orders; in its order, by what it is told of."""
    deal = a_deal(house)
    one, other = deal.sellers
    orders = deal.paid()
    for who, path in ((one, f"{orders[one]}/ship"), (deal.buyer, f"{orders[one]}/complete"),
                      (deal.buyer, f"{orders[other]}/cancel")):  # fmt: skip
        body(insist(lambda who=who, path=path: ask(house, who, "POST", f"/v1/orders/{path}", json={})), 200)  # type: ignore[misc]
    lamp, chair = (f"/v1/products/{product_id}" for product_id in deal.products)
    version = ask(house, one, "GET", lamp).headers["ETag"]
    said, of = details(450), {"If-Match": version}
    assert insist(lambda: ask(house, one, "PUT", lamp, json=said, headers=of)).status_code == 200
    assert insist(lambda: ask(house, other, "DELETE", chair)).status_code == 204
    return {
        orders[one]: ["order.paid", "order.shipped", "order.completed"],
        orders[other]: ["order.paid", "order.cancelled"],
        deal.products[0]: ["product.created", "product.updated"],
        deal.products[1]: ["product.created", "product.deleted"],
    }
