"""Malformed requests for carts and orders: each is refused in the envelope, and nothing comes of it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.kernel.principal import Role
from tests.api_harness import error
from tests.fakes.people import Somebody
from tests.ordering.malformed import BODIES, GOOD, ITEM, ITEMS, ONE, PATH_IDS, QUERIES, body
from tests.ordering.shop import Shop

JSON = {"Content-Type": "application/json"}
ROUTES = [("GET", "/v1/cart"), *GOOD, ("DELETE", ONE), ("GET", "/v1/orders"), ("GET", f"/v1/orders/{ITEM}")]


@pytest.fixture(scope="module")
def alice(shop: Shop) -> Somebody:
    """Somebody with a cart that nothing is put into."""
    somebody = shop.user()
    shop.cart(somebody)
    return somebody


@pytest.fixture(autouse=True)
def nothing_comes_of_it(shop: Shop, alice: Somebody) -> Iterator[None]:
    yield
    assert shop.query("SELECT count(*) FROM ordering.cart_items WHERE user_id = %s", alice.id) == [(0,)]


def send(
    shop: Shop, method: str, path: str, who: dict[str, str], raw: str | bytes = b"", **headers: str
) -> httpx.Response:
    content = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    return shop.client.request(method, path, content=content, headers=who | (JSON if raw else {}) | headers)


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The details of the refusal, which is as every one has to be."""
    details = error(answer, status, code)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"]
    return details


@pytest.mark.parametrize("name", BODIES)
def test_a_malformed_body_is_refused_by_the_member_that_is_wrong(shop: Shop, alice: Somebody, name: str) -> None:
    (method, path), raw, wrong = BODIES[name]
    answer = send(shop, method, path, alice.bearer, raw, **JSON)
    assert wrong in refused(answer, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("name", PATH_IDS)
@pytest.mark.parametrize("method_and_path", [("PUT", ITEMS), ("DELETE", ITEMS), ("GET", "/v1/orders")])
def test_what_is_no_id_is_refused(shop: Shop, alice: Somebody, method_and_path: tuple[str, str], name: str) -> None:
    method, path = method_and_path
    raw = body(("PUT", ONE)) if method == "PUT" else ""
    answer = send(shop, method, f"{path}/{PATH_IDS[name]}", alice.bearer, raw)
    assert refused(answer, 400, "VALIDATION_ERROR").keys() <= {"id", "path"}


@pytest.mark.parametrize("name", QUERIES)
def test_a_malformed_query_is_refused(shop: Shop, alice: Somebody, name: str) -> None:
    query, wrong = QUERIES[name]
    assert wrong in refused(send(shop, "GET", f"/v1/orders?{query}", alice.bearer), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route[1] != "/v1/orders"])
def test_a_query_where_there_is_none_is_refused(shop: Shop, alice: Somebody, method: str, path: str) -> None:
    raw = body((method, path)) if (method, path) in GOOD else ""
    answer = send(shop, method, f"{path}?currency=USD", alice.bearer, raw)
    assert "currency" in refused(answer, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_whoever_is_nobody_is_not_let_in_whatever_they_send(shop: Shop, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"X-API-Key": "the-key-of-the-tests"}):
        refused(send(shop, method, path, headers, "no JSON"), 401, "UNAUTHORIZED")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_machines_have_no_carts_and_no_orders(shop: Shop, method: str, path: str) -> None:
    refused(send(shop, method, path, shop.people.machine("wallet:receive").bearer, "no JSON"), 403, "FORBIDDEN")


@pytest.mark.parametrize(("method", "path"), GOOD)
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"]
)
def test_a_body_of_another_kind_is_refused(shop: Shop, alice: Somebody, method: str, path: str, kind: str) -> None:
    answer = send(shop, method, path, alice.bearer, body((method, path)), **{"Content-Type": kind})
    refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


def test_an_item_is_removed_with_an_empty_object_or_nothing_and_no_more(shop: Shop, alice: Somebody) -> None:
    for raw in ("", "{}"):
        refused(send(shop, "DELETE", ONE, alice.bearer, raw), 404, "NOT_FOUND")
    refused(send(shop, "DELETE", ONE, alice.bearer, '{"qty":0}'), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/v1/cart", "GET, HEAD"),
        ("DELETE", "/v1/cart", "GET, HEAD"),
        ("GET", ITEMS, "POST"),
        ("GET", ONE, "DELETE, PUT"),
        ("PATCH", ONE, "DELETE, PUT"),
        ("DELETE", f"/v1/orders/{ITEM}", "GET, HEAD"),
    ],
)
def test_other_methods_are_named_with_those_that_there_are(
    shop: Shop, alice: Somebody, method: str, path: str, allowed: str
) -> None:
    answer = send(shop, method, path, alice.bearer)
    refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert sorted(answer.headers["allow"].split(", ")) == allowed.split(", ")


@pytest.mark.parametrize("path", ["/v1/carts", "/v1/cart/", "/v1/cart/items/", "/v1/order", "/v1/orders/", "/v1//cart"])
def test_paths_that_are_almost_right_lead_nowhere(shop: Shop, alice: Somebody, path: str) -> None:
    refused(send(shop, "GET", path, alice.bearer), 404, "NOT_FOUND")


def test_what_a_title_says_is_only_ever_text(shop: Shop) -> None:
    buyer = shop.user(role=Role.CUSTOMER)
    title = "'; DROP TABLE ordering.carts; -- \u202e {{7*7}} <script> %s $1 \\x00 \U0001f4a1"
    shop.put(buyer, shop.product(title=title))
    assert shop.cart(buyer)["items"][0]["title"] == title


def test_there_are_more_than_a_hundred_of_them() -> None:
    assert len(BODIES) + 3 * len(PATH_IDS) + len(QUERIES) > 100
