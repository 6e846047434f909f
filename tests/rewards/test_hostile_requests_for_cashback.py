"""Malformed requests for cashback: each is refused in the envelope, and nothing comes of it."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.api_harness import error
from tests.fakes.people import Somebody
from tests.rewards.malformed import BODIES, BUY, GOOD, ONE_RULE, PATH_IDS, QUERIES, REFUND, RULES, body
from tests.rewards.shop import Shop

JSON = {"Content-Type": "application/json"}
ROUTES = [*GOOD, ("GET", "/v1/cashback"), ("GET", "/v1/cashback/balance"), ("GET", RULES)]


@pytest.fixture(scope="module", autouse=True)
def nothing_comes_of_it(opened_shop: Shop) -> Iterator[None]:
    yield
    for table in ("rewards.purchases", "rewards.refunds", "rewards.cashback_ledger", "rewards.rules"):
        assert opened_shop.query(f"SELECT count(*) FROM {table}") == [(0,)], table
    assert opened_shop.query("SELECT count(*) FROM v1_idempotency_keys") == [(0,)]


def who_may(shop: Shop, path: str) -> Somebody:
    return shop.admin if path.startswith(RULES) else shop.till if path.startswith(BUY) else shop.user()


def send(
    shop: Shop, method: str, path: str, who: dict[str, str], raw: str | bytes = b"", **headers: str
) -> httpx.Response:
    content = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    keyed = {"Idempotency-Key": uuid4().hex} if path.startswith(BUY) else {}
    return shop.client.request(method, path, content=content, headers=who | keyed | (JSON if raw else {}) | headers)


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The details of the refusal, which is as every one has to be."""
    details = error(answer, status, code)
    assert answer.headers["cache-control"] == "no-store"
    return details


@pytest.mark.parametrize("name", BODIES)
def test_a_malformed_body_is_refused_by_the_member_that_is_wrong(shop: Shop, name: str) -> None:
    (method, path), raw, wrong = BODIES[name]
    answer = send(shop, method, path, who_may(shop, path).bearer, raw, **JSON)
    assert wrong in refused(answer, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("name", PATH_IDS)
@pytest.mark.parametrize(("method", "path"), [("POST", REFUND), ("PATCH", ONE_RULE)])
def test_what_is_no_id_is_refused(shop: Shop, method: str, path: str, name: str) -> None:
    good = body((method, path))
    wrong = path.replace(GOOD[("POST", BUY)]["user_id"].strip('"'), PATH_IDS[name])
    answer = send(shop, method, wrong, who_may(shop, path).bearer, good)
    assert refused(answer, 400, "VALIDATION_ERROR").keys() <= {"id", "path"}


@pytest.mark.parametrize("name", QUERIES)
def test_a_malformed_query_is_refused(shop: Shop, name: str) -> None:
    query, wrong = QUERIES[name]
    answer = send(shop, "GET", f"/v1/cashback?{query}", shop.user().bearer)
    assert wrong in refused(answer, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_whoever_is_nobody_is_not_let_in_whatever_they_send(shop: Shop, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"X-API-Key": "the-key-of-the-tests"}):
        refused(send(shop, method, path, headers, "no JSON"), 401, "UNAUTHORIZED")


@pytest.mark.parametrize("path", [BUY, REFUND])
@pytest.mark.parametrize("key", [None, "", "x" * 256, "a b", '"'])
def test_without_a_key_nothing_is_recorded(shop: Shop, path: str, key: str | None) -> None:
    headers = shop.till.bearer | JSON | ({} if key is None else {"Idempotency-Key": key})
    answer = shop.client.post(path, content=body(("POST", path)), headers=headers)
    refused(answer, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(("method", "path"), GOOD)
def test_a_body_of_another_kind_is_refused(shop: Shop, method: str, path: str) -> None:
    answer = send(
        shop, method, path, who_may(shop, path).bearer, body((method, path)), **{"Content-Type": "text/plain"}
    )
    refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


def test_there_are_more_than_two_hundred_of_them() -> None:
    assert len(BODIES) + 2 * len(PATH_IDS) + len(QUERIES) > 200
