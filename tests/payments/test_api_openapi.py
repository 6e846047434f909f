"""The OpenAPI document: sound in itself, true to its own examples, and readable without the network."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.kernel.currencies import ISO_4217
from app.main.api import described
from app.platform.http.openapi import document as made_of
from tests.api_harness import OPTIONS, running


@pytest.fixture(scope="module")
def served() -> Iterator[Mapping[str, Any]]:
    """What the server gives: the document and the page."""
    with running() as api, api.client(key=None) as client:
        yield {"document": client.get("/openapi.json").json(), "page": client.get("/docs")}


@pytest.fixture(scope="module")
def document(served: Mapping[str, Any]) -> Any:
    """The document."""
    return served["document"]


@pytest.fixture(scope="module")
def whole() -> Any:
    """The document of all contexts."""
    return made_of(described(OPTIONS), OPTIONS.known_currencies)


def walk(part: Any) -> Iterator[Any]:
    """Every object in the document."""
    if isinstance(part, dict):
        yield part
    for child in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from walk(child)


def resolve(document: Any, part: Any) -> Any:
    """What the part refers to, or itself."""
    while "$ref" in part:
        found = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    """Every operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_every_reference_leads_somewhere_and_every_schema_is_one(whole: Any) -> None:
    for part in walk(whole):
        resolve(whole, part)
    for schema in whole["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for parameter in whole["components"]["parameters"].values():
        Draft202012Validator.check_schema(parameter["schema"])


def test_operations_have_names_of_their_own_and_declare_what_their_path_says(document: Any) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names) == 8
    for path, _, operation in operations(document):
        parameters = [resolve(document, parameter) for parameter in operation["parameters"]]
        declared = {one["name"] for one in parameters if one["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path))
        assert ("security" in operation) == path.startswith("/wallets/")


def test_every_example_is_of_its_schema(whole: Any) -> None:
    document = whole
    checked = 0
    for part in walk(document["paths"]):
        if "schema" not in part or not ("example" in part or "examples" in part):
            continue
        validator = Draft202012Validator(part["schema"] | {"components": document["components"]})
        values = [part["example"]] if "example" in part else [one["value"] for one in part["examples"].values()]
        for value in values:
            validator.validate(value)
            checked += 1
    assert checked > 50


def test_every_error_is_documented_where_it_may_come(whole: Any) -> None:
    document, offered = whole, described(OPTIONS)
    statuses = {kind.name: kind.status for operation in offered for kind in operation.errors}
    assert set(document["components"]["schemas"]["Error"]["properties"]["code"]["enum"]) == statuses.keys()
    pay = document["paths"]["/wallets/{user_id}/payments"]["post"]["responses"]
    shown = {code for one in pay.values() for code in one["content"]["application/json"].get("examples", {})}
    assert shown == {
        kind.name for operation in offered if operation.name == "createPayment" for kind in operation.errors
    }
    for operation in offered:
        responses = document["paths"][operation.template][operation.method.lower()]["responses"]
        assert {int(status) for status in responses} == {
            *(success.status for success in operation.successes),
            *(kind.status for kind in operation.errors),
            *(error.status for error in operation.foreign_errors),
        }
        for status, response in responses.items():
            assert "X-Request-ID" in response["headers"], operation.name
            if int(status) in {error.status for error in operation.foreign_errors}:
                continue
            for code in response.get("content", {}).get("application/json", {}).get("examples", {}):
                assert statuses[code] == int(status)


def test_the_known_currencies_are_listed(document: Any) -> None:
    known, formerly_known = document["components"]["schemas"]["Currency"]["anyOf"]
    assert set(known["enum"]) == ISO_4217 | {"USDC"}
    assert formerly_known["pattern"] == "^[A-Z]{3,5}$"


def test_the_page_shows_every_operation_and_loads_nothing(document: Any, served: Mapping[str, Any]) -> None:
    page = served["page"]
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for _, _, operation in operations(document):
        assert f'id="{operation["operationId"]}"' in page.text
    assert not re.search(r"<(script|link|img|iframe)|https?://|url\(", page.text)
