"""What log lines and metrics tell of requests behind the front door, and what they never do."""

import hmac
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.api_harness import wait_until
from tests.platform.doorman import COOKIE, CUSTOMER, MACHINE
from tests.platform.made_up_market import HASH_KEY, Market, market

HASHES = {
    each.id: hmac.new(HASH_KEY.encode(), str(each.id).encode(), "sha256").hexdigest() for each in (CUSTOMER, MACHINE)
}


@pytest.fixture(scope="module")
def house() -> Iterator[Market]:
    with market() as served:
        yield served


@pytest.fixture
def client(house: Market) -> Iterator[httpx.Client]:
    with house.client() as client:
        yield client


def lines(logged: list[Any]) -> list[dict[str, Any]]:
    return [each for each in logged if each["event"] == "request"]


def test_a_line_names_who_asks_by_a_keyed_hash_and_the_route_by_its_template(
    client: httpx.Client, logged: list[Any]
) -> None:
    client.get("/v1/wares?limit=1", headers={"Authorization": "Bearer customer"})
    client.get("/v1/mine", headers={"Cookie": f"{COOKIE}=customer"})
    client.get("/v1/mine", headers={"Authorization": "Bearer machine"})
    client.get("/v1/wares")
    client.get("/v1/mine", headers={"Authorization": "Bearer nobody"})
    client.get("/shop", headers={"X-API-Key": "the-key-of-the-shop"})
    wait_until(lambda: len(lines(logged)) == 6)  # an answer may come before its line
    assert [(line["route"], line["status"], line.get("user_hash")) for line in lines(logged)] == [
        ("/v1/wares", 200, HASHES[CUSTOMER.id]),
        ("/v1/mine", 200, HASHES[CUSTOMER.id]),
        ("/v1/mine", 403, HASHES[MACHINE.id]),
        ("/v1/wares", 200, None),
        ("/v1/mine", 401, None),
        ("/shop", 204, None),
    ]


def test_what_goes_wrong_for_somebody_is_told_with_the_same_name(client: httpx.Client, logged: list[Any]) -> None:
    client.get("/v1/bug", headers={"Authorization": "Bearer customer"})
    client.post("/v1/wares", json={}, headers={"Authorization": "Bearer customer"})
    named = [(line["event"], line["user_hash"]) for line in logged]
    assert {event for event, _ in named} == {"unexpected_error", "validation_failed", "request"}
    assert {name for _, name in named} == {HASHES[CUSTOMER.id]}


def test_what_cannot_be_told_now_is_told_in_the_log_with_its_reason(
    house: Market, client: httpx.Client, logged: list[Any]
) -> None:
    house.doorman.is_away = True
    try:
        answer = client.get("/v1/mine", headers={"Authorization": "Bearer customer", "X-Request-ID": "one"})
    finally:
        house.doorman.is_away = False
    assert (answer.status_code, "it is away" in answer.text) == (503, False)

    def ours() -> list[Any]:
        return [line for line in logged if line["request_id"] == "one"]

    wait_until(lambda: lines(ours()) != [])
    told = [(line["event"], line["log_level"], line.get("reason")) for line in ours()]
    assert told[0] == ("unavailable", "warning", "it is away")


def test_no_line_has_an_address_a_credential_or_an_id_in_clear(client: httpx.Client, logged: list[Any]) -> None:
    secret = "customer"
    for asked in (
        {"Authorization": f"Bearer {secret}"},
        {"Cookie": f"{COOKIE}={secret}"},
        {"Authorization": "Bearer a-wrong-one", "X-Forwarded-For": "198.51.100.1"},
        {"Origin": "https://alice.example"},
    ):
        client.get("/v1/wares?limit=1", headers=asked)
        client.post("/v1/auth/login", json={"name": "alice@example.com"}, headers=asked)
        client.post("/v1/wares", json={"alice@example.com": 1}, headers=asked)
        client.get("/v1/nowhere/alice@example.com", headers=asked)
        client.get("/v1/bug?alice@example.com=1", headers=asked)
    told = repr(logged)
    for word in (secret, "a-wrong-one", "alice", "198.51.100.1", "127.0.0.1", str(CUSTOMER.id), "limit", "a secret"):
        assert word not in told, word


def test_metrics_count_and_time_what_is_behind_the_door_by_template(client: httpx.Client) -> None:
    client.get("/v1/people", headers={"Authorization": "Bearer customer"})
    client.options("/v1/people", headers={"Origin": "https://a.example", "Access-Control-Request-Method": "GET"})
    wanted = {
        'http_requests_total{method="GET",route="/v1/people",status="403"} 1.0',
        'http_requests_total{method="OPTIONS",route="/v1/people",status="204"} 1.0',
        'http_request_duration_seconds_count{method="GET",route="/v1/people"} 1.0',
        'strongbox_error_answers_total{code="FORBIDDEN",route="/v1/people"} 1.0',
    }
    wait_until(lambda: wanted <= {*client.get("/metrics").text.splitlines()})  # an answer may come before it counts
