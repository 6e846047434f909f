"""Operations that nobody has written yet, from here: routed, checked, read, refused and documented like any other."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from jsonschema import Draft202012Validator
from msgspec import Struct

from app.platform.http.asgi import create_app
from app.platform.http.inflight import InFlight
from app.platform.http.json_body import JsonBody
from app.platform.http.openapi import document
from app.platform.http.operations import Contradiction, Operation, Parameter, Success
from app.platform.http.server import make_server
from tests.api_answers import hold_to_its_document
from tests.api_harness import KEY, OPTIONS, error, make_services, wait_until
from tests.platform.made_up_operations import (
    LINE,
    NO_ORDER,
    OFFERED,
    ORDER,
    ORDER_ID,
    OUT_OF_STOCK,
    PATH,
    PUT_LINE,
    plain,
    read_line,
)


def make(*operations: Operation) -> Any:
    """An API with these operations."""
    in_flight = InFlight(1.0)
    return create_app(operations, make_services(in_flight), OPTIONS)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A client of an API with these operations, whose every answer has to be documented."""
    ports: list[int] = []
    server = make_server(make(*OFFERED), "127.0.0.1", 0, 1.0, on_started=ports.append)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: bool(ports))
    with httpx.Client(base_url=f"http://127.0.0.1:{ports[0]}", headers={"X-API-Key": KEY}, timeout=60) as client:
        hold_to_its_document(client)
        yield client
    server.stop()
    thread.join(60)


def test_a_new_operation_is_served_with_its_two_parameters_its_query_and_its_body(client: httpx.Client) -> None:
    answer = client.put(f"{PATH}?limit=3", json={"quantity": 2, "parts": [{"name": "a"}]})
    assert answer.json() == {"order_id": str(ORDER), "line": 7, "quantity": 2, "limit": 3}
    assert client.put(PATH, json={"quantity": 1, "note": 'a "quoted" \\ note'}).json()["limit"] == 50


def test_its_refusals_are_answered_as_it_says(client: httpx.Client) -> None:
    assert error(client.put(PATH, json={"quantity": 4}), 409, "OUT_OF_STOCK") == {"left": 3}
    error(client.put(PATH.replace(str(ORDER), str(UUID(int=0))), json={"quantity": 1}), 404, "NOT_FOUND")


def test_what_is_malformed_is_refused_member_by_member(client: httpx.Client) -> None:
    assert error(client.put(PATH + "x", json={"quantity": 1}), 400, "VALIDATION_ERROR").keys() == {"line"}
    assert error(client.put(f"/shop/orders/x/lines/{'9' * 9}", json={}), 400, "VALIDATION_ERROR").keys() == {"order_id"}
    assert error(client.put(f"{PATH}?limit=0", json={"quantity": 1}), 400, "VALIDATION_ERROR").keys() == {"limit"}
    assert error(client.put(f"{PATH}?page=1", json={"quantity": 1}), 400, "VALIDATION_ERROR").keys() == {"page"}
    wrong = {"quantity": "1", "note": "\n", "parts": [{}], "more": 1}
    details = error(client.put(PATH, json=wrong), 400, "VALIDATION_ERROR")
    assert details == {
        "quantity": "must be an integer between 1 and 9223372036854775807",
        "note": "must be a note",
        "parts": "must be a list of parts",
        "more": "is not a member of an order's line",
    }


@pytest.mark.parametrize(
    ("body", "member"),
    [
        (b'{"quantity":1,"quantity":1}', "quantity"),
        (b'{"quantity":1,"n\\u006fte":"a","note":"a"}', "note"),
        (b'{"quantity":1,"parts":[{"name":"a","name":"a"}]}', "parts"),
    ],
)
def test_no_member_is_there_twice_however_deep(client: httpx.Client, body: bytes, member: str) -> None:
    answer = client.put(PATH, content=body, headers={"Content-Type": "application/json"})
    assert error(answer, 400, "VALIDATION_ERROR").keys() == {member}


def test_the_checks_come_in_their_order(client: httpx.Client) -> None:
    text = {"Content-Type": "text/plain"}
    error(client.put("/shop/orders", content=b"", headers=text), 404, "NOT_FOUND")
    error(client.put(PATH, content=b"", headers=text | {"X-API-Key": "no"}), 401, "UNAUTHORIZED")
    error(client.put(PATH, content=b"", headers=text), 415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_method_that_a_path_does_not_answer_is_told_those_that_it_does(client: httpx.Client) -> None:
    answer = client.post(PATH)
    error(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["Allow"] == "PUT, GET, HEAD, DELETE"
    assert client.head(PATH).status_code == client.delete(PATH).status_code == 200


def test_an_operation_without_a_body_takes_a_request_that_says_nothing_of_one(client: httpx.Client) -> None:
    assert client.post("/shop/orders/mine/close").status_code == 200


def test_a_path_is_found_by_its_names_first_and_by_its_parameters_otherwise(client: httpx.Client) -> None:
    assert client.get("/shop/orders/mine").status_code == 200
    assert error(client.get("/shop/orders/yours"), 400, "VALIDATION_ERROR").keys() == {"order_id"}
    # `orders` is no number, but the way by it leads nowhere.
    assert error(client.get("/shop/orders/mine/open"), 400, "VALIDATION_ERROR").keys() == {"line"}
    for path in (
        "/shop/orders/",
        "/shop/orders//lines/1",
        f"{PATH}/",
        "/shop",
        "/",
        f"/shop{'/' * 4000}",
        "/shop/orders/a%2Fb",
    ):
        error(client.get(path), 404, "NOT_FOUND")


def test_it_is_documented_and_its_examples_are_of_their_schemas(client: httpx.Client) -> None:
    served = client.get("/openapi.json").json()
    described = served["paths"]["/shop/orders/{order_id}/lines/{line}"]["put"]
    assert described["operationId"] == "putLine"
    assert described["security"] == [{"ApiKey": []}]
    names = [one["$ref"].rpartition("/")[2] for one in described["parameters"]]
    assert names == ["order_id", "line", "limit", "request_id"]
    assert set(described["responses"]) == {"200", "400", "401", "404", "405", "409", "413", "414", "415", "431", "500"}
    assert described["responses"]["409"]["description"] == "`OUT_OF_STOCK`: There are fewer left."
    assert "OUT_OF_STOCK" in served["components"]["schemas"]["Error"]["properties"]["code"]["enum"]
    for content in (described["requestBody"]["content"], described["responses"]["200"]["content"]):
        schema = content["application/json"]["schema"] | {"components": served["components"]}
        Draft202012Validator(schema).validate(content["application/json"]["example"])
    assert 'id="putLine"' in client.get("/docs").text


def test_two_types_of_one_name_are_two_in_the_document() -> None:
    other = msgspec.defstruct("LineShape", [("cells", list[str])], module="elsewhere")
    answer = Success(status=200, description="A line of a table.", type=other, example={"cells": []})
    described = document([PUT_LINE, plain("GET", "/a", "a", successes=(answer,))], [])
    schemas = described["components"]["schemas"]
    for path, method, members in (
        (PUT_LINE.template, "put", {"order_id", "line", "quantity", "limit"}),
        ("/a", "get", {"cells"}),
    ):
        schema = described["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]
        assert schemas[schema["$ref"].rpartition("/")[2]]["properties"].keys() == members


@pytest.mark.parametrize("depth", [10, 300, 600, 1_000, 10_000])
def test_a_body_of_any_depth_is_refused(client: httpx.Client, depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    for body in (
        deep,
        b'{"quantity":%b}' % deep,
        b'{"quantity":1,"parts":%b}' % deep,
        b'{"quantity":1,"more":%b}' % deep,
    ):
        answer = client.put(PATH, content=body, headers={"Content-Type": "application/json"})
        error(answer, 400, "VALIDATION_ERROR")


OTHER_LINE: Parameter[int] = Parameter(
    name="line", where="path", read=read_line, required=True, description="Another.", schema={"type": "integer"}
)


@pytest.mark.parametrize(
    ("operations", "why"),
    [
        ((plain("GET", "/a", "same"), plain("GET", "/b", "same")), "two operations are called same"),
        ((plain("GET", "/a", "a"), plain("GET", "/a", "b")), "GET /a is answered by two operations"),
        ((plain("GET", "/a/{line}", "a"),), "a does not declare what its path says"),
        (
            (plain("GET", "/{line}", "a", LINE), plain("PUT", "/{order_id}", "b", ORDER_ID)),
            "/{order_id} and /{line} are the same path",
        ),
        (
            (plain("GET", "/{line}", "a", LINE), plain("GET", "/a/{line}", "b", OTHER_LINE)),
            "two parameters have the key",
        ),
        ((plain("GET", "/a", "a", who="a stranger"),), "a asks for a stranger"),
        (
            (PUT_LINE, plain("GET", "/a", "a", refusals=(replace(OUT_OF_STOCK, status=410, refusals=()),))),
            "OUT_OF_STOCK is answered with 409, and with 410 by a",
        ),
        (
            (plain("GET", "/a", "a", refusals=(replace(NO_ORDER, name="OUT_OF_STOCK"),)),),
            "a answers OrderNotFound with OUT_OF_STOCK, not NOT_FOUND",
        ),
        (
            (PUT_LINE, plain("GET", "/a", "a", refusals=(replace(OUT_OF_STOCK, details_of=vars),))),
            "a tells of OutOfStock what no other operation does",
        ),
    ],
)
def test_operations_that_contradict_each_other_are_not_served(operations: Sequence[Operation], why: str) -> None:
    with pytest.raises(Contradiction) as refused:
        make(*operations)
    assert why in str(refused.value)


def test_a_body_whose_members_have_no_rule_to_tell_is_none() -> None:
    class Lax(Struct):
        quantity: int

    class Silent(Struct, forbid_unknown_fields=True):
        quantity: int

    for type_ in (Lax, Silent):
        with pytest.raises(TypeError):
            JsonBody(type_, {})
