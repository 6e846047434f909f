"""A sale that may be killed at any point: a buyer's cart with something of two sellers, and what has become of it."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import httpx

from app.kernel.principal import Role
from app.platform.process.processes import free_port
from tests.system.crash.deeds import COMMITTED, PATIENCE_S, Place, later, wallet_of
from tests.system.crash.fragile import Fragile
from tests.system.crash.proxy import Then
from tests.system.e2e.crowd import Person, people
from tests.system.e2e.house import body, wait_until

LIMIT_S: Final = 90.0
# What the API says last of all, together with the COMMIT, in each step of a checkout, by the page's names.
STEPS: Final = {
    "1a": r"strongbox-checkout: \s*INSERT INTO ordering.checkouts",
    "1b": r"strongbox-stock: \s*INSERT INTO catalog.reservation_lines",
    "1c": r"strongbox-checkout: \s*INSERT INTO ordering.orders",
    "2": "strongbox-move: COMMIT",
    "3a": r"strongbox-stock: \s*UPDATE catalog.reservation_lines",
    "3b": r"strongbox-checkout: \s*UPDATE ordering.checkouts",
}
ORDER: Final = r"strongbox-checkout: \s*UPDATE ordering.orders"
ENDS: Final = ("before", "behind")
"""The COMMIT of a step: where whoever does it dies."""


class State(NamedTuple):
    """What has become of a sale."""

    stock: list[tuple[int, int, int]]
    """Of each product what is left, what of it is reserved, and what is sold."""
    wallet: tuple[Any, ...] | None
    """The buyer's: what can be spent, and what is set aside."""
    orders: list[str]
    carts: list[tuple[str, bool]]
    """Each cart's status, and whether it is being checked out."""
    half_done: int
    """Checkouts that are pending, and orders that are about to be closed."""


BEFORE: Final = State([(5, 0, 0), (5, 0, 0)], (1_000, 0), [], [("active", False)], 0)
PAID: Final = State([(4, 0, 1), (3, 0, 2)], (400, 600), ["paid", "paid"], [("checked_out", False)], 0)
GIVEN_UP: Final = ["cancelled", "cancelled"]
"""The orders of a checkout that came to them and no further."""


@dataclass(frozen=True)
class Deal:
    """One of a lamp, and two of a chair, which somebody else sells, for 600 of the 1000 that somebody has."""

    house: Fragile
    buyer: Person
    sellers: tuple[Person, Person]
    products: tuple[str, str]
    key: str = field(default_factory=lambda: str(uuid.uuid4()))

    def check_out(self, place: Place | None = None, key: str | None = None) -> httpx.Response:
        """Ask for it, by the one key, if no other is given."""
        headers = {"Idempotency-Key": key or self.key}
        return ask(self.house, self.buyer, "POST", "/v1/orders", place, json={"expected_total": 600}, headers=headers)

    def insist(self, place: Place | None = None) -> httpx.Response:
        """Ask until it is known what became of it."""
        return insist(lambda: self.check_out(place))

    def paid(self) -> dict[Person, str]:
        """Have it paid; by its seller each order's id."""
        orders = body(self.insist(), 201)["orders"]
        return {seller: o["order_id"] for seller in self.sellers for o in orders if o["seller_id"] == str(seller.id)}

    def stored(self) -> list[tuple[int | None]]:
        """The status that is stored with the key, if it is anybody's."""
        find = "SELECT response_status FROM v1_idempotency_keys WHERE user_id = %s AND key = %s"
        return seen(self.house, find, self.buyer.id, self.key)

    def stands(self) -> State:
        """What has become of it."""
        house, buyer = self.house, self.buyer
        of_products = "SELECT quantity, reserved, sold FROM catalog.products WHERE id = %s"
        orders = "SELECT status FROM ordering.orders WHERE user_id = %s ORDER BY status"
        carts = (
            "SELECT status, status = 'active' AND checkout_id IS NOT NULL FROM ordering.carts WHERE user_id = %s"
            " ORDER BY created_at"
        )
        half_done = (
            "SELECT (SELECT count(*) FROM ordering.checkouts WHERE user_id = %s AND status = 'pending')"
            " + (SELECT count(*) FROM ordering.orders WHERE user_id = %s AND closing IS NOT NULL)"
        )
        return State(
            [row for product in self.products for row in seen(house, of_products, product)],
            wallet_of(house, buyer),
            [status for (status,) in seen(house, orders, buyer.id)],
            seen(house, carts, buyer.id),
            seen(house, half_done, buyer.id, buyer.id)[0][0],
        )

    def is_over(self) -> bool:
        """Whether nothing of it is half done."""
        return self.stands().half_done == 0

    def wait_until_over(self) -> None:
        """Wait until whoever recovers has finished it."""
        wait_until(self.is_over, "the end of what is half done", LIMIT_S)


def a_deal(house: Fragile) -> Deal:
    """A new one, of people who are new."""
    (buyer,) = people(house, 1, 1_000)
    one, other = people(house, 2, role=Role.SELLER)
    lamp, chair = product(house, one, 400), product(house, other, 100)
    for product_id, qty in ((lamp, 1), (chair, 2)):
        put_in(house, buyer, product_id, qty)
    return Deal(house, buyer, (one, other), (lamp, chair))


def product(house: Fragile, seller: Person, price: int, quantity: int = 5) -> str:
    """Put something on the shelf; its id. A test before may have ended the API's sessions with the database."""
    made = insist(lambda: ask(house, seller, "POST", "/v1/products", json=details(price, quantity)))
    return str(body(made, 201)["product_id"])


def details(price: int, quantity: int = 5) -> dict[str, Any]:
    """All that has to be said of a product."""
    return {"title": "a thing", "condition": "new", "price": price, "currency": "USD", "quantity": quantity}


def put_in(house: Fragile, buyer: Person, product_id: str, qty: int = 1) -> None:
    """Put it into the buyer's cart."""
    line = {"product_id": product_id, "qty": qty}
    body(insist(lambda: ask(house, buyer, "POST", "/v1/cart/items", json=line)), 201)


def ask(
    house: Fragile, who: Person, method: str, path: str, place: Place | None = None, **request: Any
) -> httpx.Response:
    """Ask the API, or that other one."""
    url = f"http://127.0.0.1:{place.port}" if place else house.api_url
    headers = who.bearer | request.pop("headers", {})
    return httpx.request(method, url + path, headers=headers, timeout=PATIENCE_S, **request)


def insist(asking: Callable[[], httpx.Response]) -> httpx.Response:
    """Ask until it is known what became of it."""
    said: list[httpx.Response] = []

    def is_known() -> bool:
        try:
            said.append(asking())
        except httpx.HTTPError:
            return False
        if said[-1].status_code == 409 and said[-1].json()["error"]["code"].endswith("IN_PROGRESS"):
            return False
        return said[-1].status_code not in (503, 504)

    wait_until(is_known, "an answer", PATIENCE_S)
    return said[-1]


def seen(house: Fragile, statement: str, *values: object) -> list[Any]:
    """What a superuser sees, whom no policy holds."""
    with house.as_superuser() as session:
        return session.execute(statement.encode(), values).fetchall()


def another_api(house: Fragile) -> Place:
    """One more API."""
    return Place(house, "api2", free_port()).begin()


def dies(house: Fragile, words: str, end: str, do: Callable[[], object], after: str | None = None) -> None:
    """Do it, and kill the API before these words are with the database, or behind their COMMIT; where they are said
    more than once, those after the others.
    """
    then = Then.HOLD if end == "before" else Then.SWALLOW_ANSWERS
    with house.postgres.trap(after or words, Then.HOLD if after else then, b"" if after else COMMITTED) as first:
        doing = later(do)
        first.wait()
        if after is None:
            _kill(house, first, end)
        else:
            with house.postgres.trap(words, then, COMMITTED) as second:
                first.let_go()
                second.wait()
                _kill(house, second, end)
        died = doing.exception(60)
    assert isinstance(died, httpx.HTTPError), f"a dead process answered {died or doing.result()}"
    house.wait_until_rolled_back(words.partition(":")[0])


def _kill(house: Fragile, trap: Any, end: str) -> None:
    if end == "behind":
        trap.wait_for_the_answer()
    house.kill("api")
    trap.drop()


def all_is_well(house: Fragile) -> None:
    """Nothing is pending, reserved, unsent or on its way; whatever can be verified holds."""
    wait_until(lambda: _at_rest(house), "the market to be at rest", LIMIT_S)
    house.verify()


def _at_rest(house: Fragile) -> bool:
    left = (
        "SELECT (SELECT count(*) FROM ordering.checkouts WHERE status = 'pending')"
        " + (SELECT count(*) FROM ordering.orders WHERE closing IS NOT NULL OR status = 'pending')"
        " + (SELECT count(*) FROM catalog.reservation_lines WHERE status = 'RESERVED' AND context = 'ordering')"
        " + (SELECT count(*) FROM catalog.cache_deletions)"
        " + (SELECT count(*) FROM (SELECT event_id, sent_at FROM ordering.outbox_events"
        "    UNION ALL SELECT event_id, sent_at FROM catalog.outbox_events) o"
        "    LEFT JOIN audit.events a USING (event_id) WHERE o.sent_at IS NULL OR a.event_id IS NULL)"
    )
    return bool(seen(house, left) == [(0,)])
