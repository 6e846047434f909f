"""The OpenAPI document: sound in itself, true to its own examples, and readable without the network."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.adapters.http.documented import ERRORS
from app.adapters.http.errors import STATUS
from app.domain.currencies import ISO_4217
from tests.integration.api_harness import running


@pytest.fixture(scope="module")
def served() -> Iterator[Mapping[str, Any]]:
    """What the server gives: the document and the page."""
    with running() as api, api.client(key=None) as client:
        yield {"document": client.get("/openapi.json").json(), "page": client.get("/docs")}


@pytest.fixture(scope="module")
def document(served: Mapping[str, Any]) -> Any:
    """The document."""
    return served["document"]


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


def test_every_reference_leads_somewhere_and_every_schema_is_one(document: Any) -> None:
    for part in walk(document):
        resolve(document, part)
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for parameter in document["components"]["parameters"].values():
        Draft202012Validator.check_schema(parameter["schema"])


def test_operations_have_names_of_their_own_and_declare_what_their_path_says(document: Any) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names) == 8
    for path, _, operation in operations(document):
        parameters = [resolve(document, parameter) for parameter in operation["parameters"]]
        declared = {one["name"] for one in parameters if one["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path))
        assert ("security" in operation) == path.startswith("/wallets/")


def test_every_example_is_of_its_schema(document: Any) -> None:
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


def test_every_error_is_documented_where_it_may_come(document: Any) -> None:
    assert ERRORS.keys() == STATUS.keys()
    pay = document["paths"]["/wallets/{user_id}/payments"]["post"]["responses"]
    shown = {code for one in pay.values() for code in one["content"]["application/json"].get("examples", {})}
    assert shown == STATUS.keys()
    for path, _, operation in operations(document):
        for status, response in operation["responses"].items():
            assert "X-Request-ID" in response["headers"], path
            for code in response["content"].get("application/json", {}).get("examples", {}):
                assert STATUS[code] == int(status)


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
