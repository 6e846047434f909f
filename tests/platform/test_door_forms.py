"""A form behind the front door, or an object with the same members: the protocol's own refusals are the handler's."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.api_answers import hold_to_its_document
from tests.api_harness import error
from tests.platform.made_up_market import Market, market

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TEXT = {"Content-Type": "text/plain"}


@pytest.fixture(scope="module")
def house() -> Iterator[Market]:
    with market() as served:
        yield served


@pytest.fixture
def client(house: Market) -> Iterator[httpx.Client]:
    with house.client("customer") as client:
        hold_to_its_document(client)
        yield client


def ask(client: httpx.Client, body: bytes, headers: dict[str, str] = FORM) -> Any:
    """What is said of what a machine asks for; the error, if it is refused in its own words."""
    answer = client.post("/v1/auth/token", content=body, headers=headers)
    said = answer.json()
    return said["said"] if answer.status_code == 200 else (answer.status_code, said["error"], said["error_description"])


@pytest.mark.parametrize("charset", ["", "; charset=UTF-8", ';charset="utf-8" ;'])
def test_a_form_and_an_object_with_the_same_members_are_the_same(client: httpx.Client, charset: str) -> None:
    form = {"Content-Type": FORM["Content-Type"] + charset}
    asked = ["client_credentials", "a:b c"]
    assert ask(client, b"grant_type=client_credentials&scope=a%3Ab+c", form) == asked
    assert ask(client, b'{"scope":"a:b c","grant_type":"client_credentials"}', JSON) == asked
    assert ask(client, b"grant_type=client_credentials&scope=") == ["client_credentials", None]
    assert ask(client, b"scope=%C3%A9&grant_type=x&resource=y&resource=z") == ["x", "\xe9"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "grant_type"),
        (b"scope=a", "grant_type"),
        (b"grant_type=", "grant_type"),
        (b"grant_type=a&grant_type=a", "grant_type"),
        (b"grant_type=a&scope=a&scope=", "scope"),
        (b"grant_type", "body"),
        (b"grant_type=a&&scope=b", "body"),
        (b"grant_type=%FF", "body"),
        (b"grant_type=\xc3\xa9", "body"),
        (b"{}", "body"),
        (b"a=b&" * 40, "body"),
        (b"=", "grant_type"),
        (b"\x00", "body"),
    ],
)
def test_what_is_wrong_with_a_form_is_told_by_the_handler(client: httpx.Client, body: bytes, told: str) -> None:
    assert ask(client, body) == (400, "invalid_request", told)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "grant_type"),
        (b"{}", "grant_type"),
        (b'{"grant_type":1}', "grant_type"),
        (b'{"grant_type":"a","grant_type":"a"}', "grant_type"),
        (b'{"grant_type":"a","resource":"b"}', "resource"),
        (b"grant_type=a", "body"),
        (b"[", "body"),
    ],
)
def test_so_is_what_is_wrong_with_an_object(client: httpx.Client, body: bytes, told: str) -> None:
    assert ask(client, body, JSON) == (400, "invalid_request", told)


def test_what_the_door_refuses_is_in_the_envelope_all_the_same(client: httpx.Client) -> None:
    error(client.post("/v1/auth/token", content=b"a", headers=TEXT), 415, "UNSUPPORTED_MEDIA_TYPE")
    error(client.post("/v1/auth/token", content=b"a" * 70_000, headers=FORM), 413, "PAYLOAD_TOO_LARGE")
    error(client.post("/v1/auth/token?a=b", data={"grant_type": "a"}), 400, "VALIDATION_ERROR")
    error(client.post("/v1/wares", content=b"name=a", headers=FORM), 415, "UNSUPPORTED_MEDIA_TYPE")


def test_both_kinds_and_both_errors_are_documented(client: httpx.Client) -> None:
    served = client.get("/openapi.json").json()
    described = served["paths"]["/v1/auth/token"]["post"]
    content = described["requestBody"]["content"]
    assert content.keys() == {"application/json", "application/x-www-form-urlencoded"}
    refused = described["responses"]["400"]["content"]["application/json"]
    assert [each["$ref"].rpartition("/")[2] for each in refused["schema"]["anyOf"]] == ["ErrorEnvelope", "GrantError"]
    assert refused["examples"].keys() == {"VALIDATION_ERROR", "invalid_request"}
    assert described["responses"]["400"]["description"].endswith("In other words.")
