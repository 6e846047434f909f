"""The order of the checks at the front door: of two things that are wrong with a request the earlier one is told."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import pytest

from tests.platform.made_up_market import LISTED, Market, market

RIGHT: Mapping[str, Any] = {
    "method": "PUT",
    "path": "/v1/everything",
    "Authorization": "Bearer admin",
    "Content-Type": "application/json",
    "body": b'{"name":"a ladder"}',
}

WRONG: Mapping[str, tuple[int, Mapping[str, Any]]] = {
    "HEADERS_TOO_LARGE": (431, {"X-More": "x" * 17_000}),
    "NOT_FOUND": (404, {"path": "/v1/nowhere"}),
    "METHOD_NOT_ALLOWED": (405, {"method": "DELETE"}),
    "a preflight": (204, {"method": "OPTIONS", "Access-Control-Request-Method": "PUT", "Origin": LISTED}),
    "ip": (429, {"limits": {"ip"}}),
    "UNAUTHORIZED": (401, {"Authorization": "Bearer nobody"}),
    "ORIGIN_REFUSED": (403, {"Origin": "https://elsewhere.example"}),
    "FORBIDDEN": (403, {"Authorization": "Bearer customer"}),
    "user": (429, {"limits": {"user"}}),
    "wallet": (429, {"limits": {"wallet"}}),
    "login": (429, {"limits": {"login"}}),
    "UNSUPPORTED_MEDIA_TYPE": (415, {"Content-Type": "text/plain"}),
    "PAYLOAD_TOO_LARGE": (413, {"body": b"[" * 70_000}),
    "VALIDATION_ERROR": (400, {"query": "?more=1"}),
}
"""By what is told of it: its status, and what is changed of a request that is right. In their order."""


@pytest.fixture(scope="module")
def house() -> Iterator[Market]:
    with market() as served:
        yield served


def ask(house: Market, *wrong: str) -> tuple[int, str | None]:
    """The status, and what is told, of a request with all of this wrong."""
    asked = dict(RIGHT)
    house.counter.empty = set()
    for _, changes in (WRONG[each] for each in wrong):
        house.counter.empty |= changes.get("limits", set())
        asked |= {name: value for name, value in changes.items() if name != "limits"}
    with house.client() as client:
        answer = client.request(
            asked.pop("method"),
            asked.pop("path") + asked.pop("query", ""),
            content=asked.pop("body"),
            headers=asked,
        )
    if not answer.content:
        return answer.status_code, "a preflight"
    error = answer.json().get("error", {"code": None})
    return answer.status_code, error["details"]["limit"] if answer.status_code == 429 else error["code"]


def changed(what: str) -> set[str]:
    return {*WRONG[what][1]} - {"limits"}


def test_a_request_with_nothing_wrong_is_answered(house: Market) -> None:
    assert ask(house) == (201, None)


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_alone_is_told(house: Market, what: str) -> None:
    assert ask(house, what) == (WRONG[what][0], what)


@pytest.mark.parametrize(
    ("first", "second"), [pair for pair in combinations(WRONG, 2) if not changed(pair[0]) & changed(pair[1])]
)
def test_of_two_the_earlier_is_told(house: Market, first: str, second: str) -> None:
    assert ask(house, first, second) == (WRONG[first][0], first)


def test_of_everything_that_can_be_wrong_at_once_each_is_told_when_what_is_before_it_is_mended(house: Market) -> None:
    """A page's whole walk: of the four pairs that change the same, the one or the other."""
    left = [what for what in WRONG if what not in ("METHOD_NOT_ALLOWED", "FORBIDDEN", "a preflight")]
    while left:
        assert ask(house, *left)[1] == left[0]
        left.pop(0)


def test_of_a_path_that_is_too_long_that_is_told(house: Market) -> None:
    with house.client("nobody") as client:
        answer = client.get(f"/v1/{'x' * 9000}", headers={"X-More": "x" * 17_000, "Origin": LISTED})
    assert answer.status_code == 414
    assert (answer.headers["vary"], answer.headers["access-control-allow-origin"]) == ("Origin", LISTED)
