"""How often somebody may ask: whose buckets a request takes from, and what is said when one is empty."""

from collections.abc import Iterator

import httpx
import pytest

from app.platform.http.asgi import create_app
from app.platform.http.operations import ANYONE, MAYBE_BEARER, Contradiction
from tests.api_answers import hold_to_its_document
from tests.api_harness import error
from tests.platform.doorman import ADMIN, CUSTOMER, Counter, Doorman
from tests.platform.made_up_market import OPTIONS, Market, market, offer, services

US = ("ip", "127.0.0.1")


@pytest.fixture(scope="module")
def house() -> Iterator[Market]:
    with market() as served:
        yield served


@pytest.fixture
def client(house: Market) -> Iterator[httpx.Client]:
    house.counter.empty = set()
    house.counter.taken.clear()
    house.counter.given_back.clear()
    with house.client() as client:
        hold_to_its_document(client)
        yield client


def taken(house: Market) -> list[tuple[str, str]]:
    found = [*house.counter.taken]
    house.counter.taken.clear()
    return found


def test_each_request_takes_of_what_it_is_limited_by(house: Market, client: httpx.Client) -> None:
    by_customer, by_admin = {"Authorization": "Bearer customer"}, {"Authorization": "Bearer admin"}
    user, admin = ("user", str(CUSTOMER.id)), ("user", str(ADMIN.id))
    client.get("/v1/wares")
    assert taken(house) == [US]
    client.get("/v1/wares", headers=by_customer)
    assert taken(house) == [US, user]
    client.post("/v1/mine/close", headers=by_customer)
    assert taken(house) == [US, user, ("wallet", str(CUSTOMER.id))]
    client.put("/v1/everything", json={"name": "a"}, headers=by_admin)
    assert taken(house) == [US, admin, ("wallet", str(ADMIN.id)), ("login", "ip:127.0.0.1")]
    client.get("/v1/mine")
    client.get("/v1/people", headers=by_customer)
    assert taken(house) == [US, US]


def test_what_is_not_under_v1_is_not_limited(house: Market, client: httpx.Client) -> None:
    house.counter.empty = {"ip", "user"}
    assert client.post("/internal/wares", headers={"Authorization": "Bearer machine"}).status_code == 200
    assert client.get("/shop", headers={"X-API-Key": "the-key-of-the-shop"}).status_code == 204
    assert client.get("/healthz").status_code == 200
    assert client.get("/v1/nowhere").status_code == 404
    assert taken(house) == []


@pytest.mark.parametrize("name", ["ip", "user", "wallet", "login"])
def test_past_a_limit_it_is_told_which_and_when_to_come_back(house: Market, client: httpx.Client, name: str) -> None:
    house.counter.empty = {name}
    answer = client.put("/v1/everything", json={"name": "a"}, headers={"Authorization": "Bearer admin"})
    assert error(answer, 429, "RATE_LIMITED") == {"limit": name}
    assert answer.headers["retry-after"] == "3"
    assert answer.headers["ratelimit-policy"] == f'"{name}";q=20;w=40'
    assert answer.headers["ratelimit"] == f'"{name}";r=0;t=2'


def test_any_other_answer_says_nothing_of_limits(client: httpx.Client) -> None:
    for answer in (client.get("/v1/wares"), client.get("/v1/mine"), client.get("/v1/wares?a=1")):
        assert not {"retry-after", "ratelimit", "ratelimit-policy"} & answer.headers.keys()


def test_a_log_in_that_succeeds_gives_back_what_it_took(house: Market, client: httpx.Client) -> None:
    client.post("/v1/auth/login", json={"name": "alice"})
    of_log_in = [("login", "ip:127.0.0.1"), ("login", "email:alice")]
    assert taken(house) == [US, *of_log_in]
    assert sorted(house.counter.given_back) == sorted(of_log_in)
    house.counter.given_back.clear()
    client.post("/v1/auth/login", json={"name": "nobody"})
    assert taken(house) == [US, ("login", "ip:127.0.0.1"), ("login", "email:nobody")]
    assert house.counter.given_back == []


def test_a_handler_that_finds_an_empty_bucket_is_answered_like_the_door(house: Market, client: httpx.Client) -> None:
    house.counter.empty = {"login email:bob"}
    answer = client.post("/v1/auth/login", json={"name": "bob"})
    assert error(answer, 429, "RATE_LIMITED") == {"limit": "login"}
    assert house.counter.given_back == []
    assert client.post("/v1/auth/login", json={"name": "alice"}).status_code == 200


def test_without_anybody_who_counts_everybody_passes() -> None:
    with market(limited=False) as served, served.client() as client:
        assert client.post("/v1/auth/login", json={"name": "alice"}).status_code == 200
        assert client.get("/v1/wares").status_code == 200
    assert served.counter.taken == []


@pytest.mark.parametrize("who", [ANYONE, MAYBE_BEARER])
def test_only_who_is_let_in_has_a_wallet_to_be_limited_by(who: str) -> None:
    with pytest.raises(Contradiction, match="limited by a wallet"):
        create_app([offer("GET", "/v1/a", "a", who, buckets=("wallet",))], services(Doorman(), Counter()), OPTIONS)
