"""Malformed requests about auctions: each is refused in the envelope, and nothing comes of it."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.kernel.principal import Role
from tests.api_harness import error
from tests.auctions.room import Room, hence
from tests.fakes.people import Somebody

JSON = {"Content-Type": "application/json"}
ALL = "/v1/auctions"
GOOD = {
    "product_id": "0193a5b2-7c4e-7d13-8e4f-1a2b3c4d5e6f", "starting_price": 100, "currency": "USD",
    "ends_at": hence(86_400),
}  # fmt: skip
TEXT = json.dumps(GOOD)
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"starting_price=100",
    "half of it": TEXT[:-1].encode(),
    "a list": f"[{TEXT}]".encode(),
    "null": b"null",
    "a number": b"100",
    "a member twice": (TEXT[:-1] + ', "starting_price": 200}').encode(),
    "a member twice, spelled otherwise": (TEXT[:-1] + ', "starting\\u005fprice": 200}').encode(),
    "another encoding": TEXT.encode("utf-16"),
    "half a letter": TEXT.replace("USD", "US\udce9").encode("utf-8", "surrogateescape"),
    "a NUL": TEXT.replace("USD", "US\\u0000").encode(),
    "nothing but brackets": b"[" * 20_000,
    "a point": TEXT.replace("100", "100.0").encode(),
    "an exponent": TEXT.replace("100", "1e2").encode(),
    "too large a number": TEXT.replace("100", str(2**63)).encode(),
    "no number": TEXT.replace("100", "NaN").encode(),
    "less than nothing": TEXT.replace("100", "-100").encode(),
    "a time before all": TEXT.replace(str(GOOD["ends_at"]), "0000-00-00T00:00:00Z").encode(),
    "a time behind all": TEXT.replace(str(GOOD["ends_at"]), "9999-12-31T23:59:60Z").encode(),
    "a time of nowhere": TEXT.replace(str(GOOD["ends_at"]), "2030-01-01T00:00:00").encode(),
}
IDS = (
    "x",
    "0",
    "..",
    "%00",
    "%2e%2e",
    "0193a5b2-7c4e-7d13-8e4f-1a2b3c4d5e6",
    "é",
    "'; DROP TABLE auctions.auctions; --",
)

NOBODYS = "01980000-0000-7000-8000-00000000dead"
WRITES = ("bids", "buy", "cancel")


@pytest.fixture(scope="module")
def seller(room: Room) -> Somebody:
    return room.user(role=Role.SELLER)


@pytest.fixture(autouse=True)
def nothing_comes_of_it(room: Room) -> Iterator[None]:
    yield
    left = "SELECT (SELECT count(*) FROM auctions.auctions) + (SELECT count(*) FROM auctions.openings)"
    assert room.query(f"{left} + (SELECT count(*) FROM auctions.intents)") == [(0,)]
    assert room.query("SELECT FROM v1_idempotency_keys") == []


def send(room: Room, path: str, who: Somebody, raw: bytes, **headers: str) -> httpx.Response:
    return room.client.post(path, content=raw, headers=who.bearer | {"Idempotency-Key": "key"} | JSON | headers)


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The details of the refusal, which is as every one has to be."""
    assert answer.headers["x-request-id"]
    return error(answer, status, code)


@pytest.mark.parametrize("name", BODIES)
def test_a_malformed_body_opens_nothing(room: Room, seller: Somebody, name: str) -> None:
    assert refused(send(room, ALL, seller, BODIES[name]), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("name", BODIES)
def test_a_malformed_body_bids_nothing(room: Room, seller: Somebody, name: str) -> None:
    assert refused(send(room, f"{ALL}/{uuid4()}/bids", seller, BODIES[name]), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("path", ["", f"/{NOBODYS}/bids"])
def test_what_is_no_json_by_its_own_word_or_too_much_is_refused(room: Room, seller: Somebody, path: str) -> None:
    for headers in ({"Content-Type": "text/plain"}, {"Content-Encoding": "gzip"}):
        refused(send(room, ALL + path, seller, TEXT.encode(), **headers), 415, "UNSUPPORTED_MEDIA_TYPE")
    refused(send(room, ALL + path, seller, TEXT.encode() + b" " * 65_536), 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("id_", IDS)
def test_what_is_no_id_is_refused(room: Room, seller: Somebody, id_: str) -> None:
    answers = [room.client.get(f"{ALL}/{id_}{path}") for path in ("", "/bids")]
    body = {"bids": b'{"amount": 1}', "buy": b"", "cancel": b""}
    answers += [send(room, f"{ALL}/{id_}/{path}", seller, body[path]) for path in WRITES]
    for answer in answers:
        assert answer.status_code in (400, 404), answer.text
        assert answer.json()["error"]["code"] in ("VALIDATION_ERROR", "NOT_FOUND")


@pytest.mark.parametrize("path", ["buy", "cancel"])
def test_who_has_nothing_to_say_says_nothing(room: Room, seller: Somebody, path: str) -> None:
    to = f"{ALL}/{uuid4()}/{path}"
    for raw in (b"", b"{}", b" { } "):
        refused(send(room, to, seller, raw), 404, "NOT_FOUND")
    for raw in (b'{"amount": 1}', b"[]", b"null", b"{"):
        refused(send(room, to, seller, raw), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("key", ["", "a b", "k" * 256, '"'])
def test_a_key_that_is_none_is_refused(room: Room, seller: Somebody, key: str) -> None:
    for path, raw in (("bids", b'{"amount": 1}'), ("buy", b"")):
        answer = send(room, f"{ALL}/{uuid4()}/{path}", seller, raw, **{"Idempotency-Key": key})
        assert [*refused(answer, 400, "VALIDATION_ERROR")] == ["Idempotency-Key"]


@pytest.mark.parametrize("query", ["status=live&status=live", "status", "%", "sort=%ff", "limit=1e1", "limit=٣", "a=b"])
def test_a_query_that_nobody_can_make_sense_of_is_refused(room: Room, query: str) -> None:
    assert refused(room.client.get(f"{ALL}?{query}"), 400, "VALIDATION_ERROR")


def test_other_methods_are_refused(room: Room, seller: Somebody) -> None:
    for method, path in (("PUT", ALL), ("DELETE", f"{ALL}/{uuid4()}"), ("GET", f"{ALL}/{uuid4()}/buy")):
        answer = room.client.request(method, path, headers=seller.bearer)
        refused(answer, 405, "METHOD_NOT_ALLOWED")
        assert answer.headers["allow"]
