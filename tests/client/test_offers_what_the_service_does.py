"""The client's operations, members, words and codes are those of the OpenAPI document, both ways."""

from collections import defaultdict
from typing import Any

import msgspec
import pytest

from app.main.api import described
from app.platform.http.openapi import document as made_of
from strongbox_client.calls import Answer, Who, error_of
from strongbox_client.codes import KINDS
from strongbox_client.operation import Described, Stream
from strongbox_client.signature import IDEMPOTENCY_KEY
from tests.api_harness import OPTIONS
from tests.client.offered import (
    Route,
    answer_of,
    operations,
    route,
    shape_of_service,
    taken_by_client,
    taken_by_service,
)

OF_THE_WIRE = {"X-Request-ID", "traceparent"}
"""Headers that belong to whoever traces requests: an httpx client of one's own has them."""
AS_JSON_ONLY = {("POST", "/v1/auth/token")}
"""Takes a form as well."""
NEEDED_OF_PROGRAMS = {
    ("POST", "/v1/auth/refresh"): {"refresh_token"},  # a browser has it in a cookie
    ("POST", "/v1/auth/token"): {"client_id", "client_secret"},  # or Authorization: Basic
    ("PUT", "/v1/products/{}"): {"If-Match"},  # without: 428
}
"""What the service could do without, and nobody who calls it by this client."""
OF_EVENTS_ALONE = {
    ("POST", "/wallets/{}/payments"): {"FAILED", "PENDING"},
    ("POST", "/v1/payments"): {"FAILED", "PENDING"},
}
"""Words of the answer's shape that are an error as an answer."""

DOCUMENT: Any = made_of(described(OPTIONS), OPTIONS.known_currencies)
SERVED = {
    route(method, template): operation
    for template, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
ASKED: dict[Route, list[Described[..., Any]]] = defaultdict(list)
for _, each in operations():
    ASKED[route(each.head.method, each.head.template)].append(each)
BOTH = sorted(SERVED.keys() & ASKED.keys())


def test_every_operation_of_the_service_is_the_clients_and_the_other_way_round() -> None:
    assert ASKED.keys() == SERVED.keys()


def test_every_code_of_the_service_is_a_type_and_the_other_way_round() -> None:
    known = set(DOCUMENT["components"]["schemas"]["Error"]["properties"]["code"]["enum"])
    assert KINDS.keys() == known


@pytest.mark.parametrize("where", BOTH, ids=" ".join)
def test_an_operation_takes_what_the_service_takes(where: Route) -> None:
    ours, theirs = taken_by_client(ASKED[where]), taken_by_service(DOCUMENT, SERVED[where])
    assert ours.path == theirs.path
    assert ours.query == theirs.query
    needed = NEEDED_OF_PROGRAMS.get(where, set())
    assert ours.members == {name: is_needed or name in needed for name, is_needed in theirs.members.items()}
    # A key is made where none is given.
    assert ours.headers == {
        name: (is_needed and name != IDEMPOTENCY_KEY) or name in needed
        for name, is_needed in theirs.headers.items()
        if name not in OF_THE_WIRE
    }
    assert ours.media_types == theirs.media_types or (where in AS_JSON_ONLY and ours.media_types < theirs.media_types)


@pytest.mark.parametrize("where", BOTH, ids=" ".join)
def test_an_operation_answers_what_the_service_answers(where: Route) -> None:
    responses = {int(status): one for status, one in SERVED[where]["responses"].items() if int(status) < 400}
    said = [one["content"] for one in responses.values() if "content" in one]
    for operation in ASKED[where]:
        if not said:
            assert operation.answer is None
        elif isinstance(operation, Stream):
            assert [*said[0]] == ["text/event-stream"]
        elif operation.answer is bytes:
            assert said[0].keys() - {"application/json"}
        else:
            theirs = shape_of_service(DOCUMENT, said[0]["application/json"]["schema"])
            ours = answer_of(operation)
            assert ours == _as_deep(ours, _without(OF_EVENTS_ALONE.get(where, set()), theirs))


def _without(words: set[str], shape: Any) -> Any:
    match shape:
        case dict():
            return {name: _without(words, one) for name, one in shape.items()}
        case list():
            return [_without(words, one) for one in shape]
        case set():
            return shape - words
    return shape


def _as_deep(ours: Any, theirs: Any) -> Any:
    """What they say, as far as the client looks: a mapping is one whatever is in it, and any object may be."""
    if ours == "any":
        return "any"
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return {name: _as_deep(ours.get(name), one) for name, one in theirs.items()}
    if isinstance(ours, list) and isinstance(theirs, list):
        return [_as_deep(ours[0], theirs[0])]
    return theirs


def answers_shown() -> dict[str, tuple[Described[..., Any], int, Any]]:
    """What the document shows of answers, by operation and status."""
    return {
        f"{SERVED[where]['operationId']} {status} {nth}": (each, int(status), content["example"])
        for where in BOTH
        for nth, each in enumerate(ASKED[where])
        for status, response in SERVED[where]["responses"].items()
        if "example" in (content := response.get("content", {}).get("application/json", {}))
        and each.answer is not bytes
    }


@pytest.mark.parametrize("shown", answers_shown().items(), ids=lambda shown: shown[0])
def test_every_answer_that_the_document_shows_is_read(shown: tuple[str, tuple[Described[..., Any], int, Any]]) -> None:
    operation, status, said = shown[1]
    assert operation.read(Answer(status, {}, msgspec.json.encode(said))) is not None


@pytest.mark.parametrize("where", BOTH, ids=" ".join)
def test_an_operation_shows_what_the_service_asks_for(where: Route) -> None:
    security = SERVED[where].get("security", [])
    schemes = {name for one in security for name in one}
    for operation in ASKED[where]:
        if "ApiKey" in schemes:
            assert operation.head.who is Who.API_KEY
        elif {} in security:
            assert operation.head.who in (Who.CREDENTIAL, Who.NOBODY)
        else:
            assert operation.head.who is (Who.CREDENTIAL if schemes else Who.NOBODY)


def errors_shown() -> dict[str, tuple[int, Any]]:
    """What the document shows of errors, by operation and code."""
    return {
        f"{operation['operationId']} {code}": (int(status), example["value"])
        for operation in SERVED.values()
        for status, response in operation["responses"].items()
        for code, example in response.get("content", {}).get("application/json", {}).get("examples", {}).items()
        if "error" in example["value"] and isinstance(example["value"]["error"], dict)
    }


@pytest.mark.parametrize("shown", errors_shown().items(), ids=lambda shown: shown[0])
def test_every_error_that_the_document_shows_is_read_as_its_type(shown: tuple[str, tuple[int, Any]]) -> None:
    status, said = shown[1]
    error = error_of(Answer(status, {"x-request-id": "r-1"}, msgspec.json.encode(said)))
    kind = KINDS[said["error"]["code"]]
    assert type(error) is kind
    assert (error.http_status, error.request_id) == (status, "r-1")
    for name, value in said["error"]["details"].items():
        if name in kind.__annotations__:
            found = msgspec.to_builtins(getattr(error, name))
            assert found == (tuple(value) if isinstance(value, list) else value)
