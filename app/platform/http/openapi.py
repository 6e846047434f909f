"""The OpenAPI 3.1 document: a loop over the operations."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from msgspec import json

from app.platform.http.csv_body import CsvBody
from app.platform.http.errors import ErrorEnvelope
from app.platform.http.forms import FormOrJsonBody
from app.platform.http.openapi_answers import JSON, RESPONSE_HEADERS, SCHEMAS, responses
from app.platform.http.operations import (
    ANYONE,
    API_KEY,
    BEARER,
    MAYBE_BEARER,
    Operation,
    Parameter,
)
from app.platform.http.parameters import REQUEST_ID
from app.platform.http.shapes import Code

Json = dict[str, Any]
CSV = "text/csv"
FORM = "application/x-www-form-urlencoded"
SESSION_COOKIE = "__Host-strongbox_session"

_ABOUT = (
    "Amounts are whole minor units (cents). Times are RFC 3339 in UTC. An unknown member, parameter or currency is "
    "refused. Everything but a 2xx has one envelope, whose `code` is stable."
)

_SESSION = "Session"


def document(operations: Sequence[Operation], currencies: Iterable[str], cookie: str = SESSION_COOKIE) -> Json:
    """The document of an API with these operations, which knows these currencies, and sessions by this cookie."""
    bodies = [operation.body for operation in operations if operation.body]
    taken = [body.type for body in bodies if not isinstance(body, CsvBody)]
    given = [success.type for operation in operations for success in operation.successes if success.type is not None]
    foreign = [error.type for operation in operations for error in operation.foreign_errors]
    # All at once: of two types of one name each gets a longer one.
    types = [*taken, *given, *foreign, ErrorEnvelope]
    (code, *found), schemas = json.schema_components((Code, *types), ref_template=SCHEMAS + "{name}")
    references = dict(zip(types, found, strict=True))
    _tell_currencies(schemas, [schemas[_name(references[type_])] for type_ in taken], code, currencies)
    codes = {kind.name for operation in operations for kind in operation.errors}
    schemas["Error"]["properties"]["code"] = {"enum": sorted(codes)}
    paths: Json = {}
    for operation in operations:
        paths.setdefault(operation.template, {})[operation.method.lower()] = _operation(operation, references)
    parameters = {_key(one): _parameter(one) for operation in operations for one in _parameters(operation)}
    schemes = [scheme for operation in operations for each in _security(operation) for scheme in each]
    known = _schemes(cookie)
    return {
        "openapi": "3.1.0",
        "info": _info(),
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": parameters,
            "headers": dict(RESPONSE_HEADERS),
            "securitySchemes": {name: known[name] for name in dict.fromkeys(schemes)},
        },
    }


def _schemes(cookie: str) -> Mapping[str, Json]:
    """How one is let in."""
    return {
        API_KEY: {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        _SESSION: {"type": "apiKey", "in": "cookie", "name": cookie},
    }


def _security(operation: Operation) -> Sequence[Json]:
    """What lets in, one or another."""
    if operation.who in (BEARER, MAYBE_BEARER):
        enough = sorted(operation.access.scopes, key=lambda scope: (scope != operation.access.scope, scope))
        maybe: Sequence[Json] = [{}] if operation.who == MAYBE_BEARER else []
        return [*({BEARER: [scope]} for scope in enough), *([] if enough else [{BEARER: []}]), {_SESSION: []}, *maybe]
    return [] if operation.who == ANYONE else [{operation.who: []}]


def _info() -> Json:
    return {
        "title": "Strongbox",
        "version": _version(),
        "summary": "Wallets and payments.",
        "description": _ABOUT,
    }


def _version() -> str:
    try:
        return version("strongbox")
    except PackageNotFoundError:  # run from a checkout
        return "0"


def _name(reference: Json) -> str:
    return str(reference["$ref"]).removeprefix(SCHEMAS)


def _tell_currencies(schemas: Json, taken: Iterable[Json], code: Json, currencies: Iterable[str]) -> None:
    """A body's type knows the form of a code; which codes are known is a setting."""
    for body in taken:
        properties = body["properties"]
        properties |= {name: {"$ref": SCHEMAS + "Currency"} for name, schema in properties.items() if schema == code}
    schemas["Currency"] = {
        "anyOf": [
            {"type": "string", "enum": sorted(currencies), "description": "ISO 4217's codes, and this service's own."},
            {
                "type": "string",
                "pattern": "^[A-Z]{3,5}$",
                "description": "One that is known no longer is good for a wallet that is there, and refused elsewhere.",
            },
        ],
    }


def _operation(operation: Operation, references: Mapping[Any, Json]) -> Json:
    described: Json = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "responses": responses(operation, references),
    }
    if operation.description:
        described["description"] = operation.description
    if security := _security(operation):
        described["security"] = security
    described["parameters"] = [{"$ref": f"#/components/parameters/{_key(one)}"} for one in _parameters(operation)]
    if isinstance(operation.body, CsvBody):
        content = {"schema": {"type": "string"}, "example": operation.body.example}
        described["requestBody"] = {"required": True, "content": {CSV: content}}
    elif operation.body:
        body = {"schema": references[operation.body.type], "example": dict(operation.body.example)}
        kinds = [JSON, FORM] if isinstance(operation.body, FormOrJsonBody) else [JSON]
        is_required = operation.body.is_required or not operation.is_behind_the_door
        described["requestBody"] = {"required": is_required, "content": dict.fromkeys(kinds, body)}
    return described


def _parameters(operation: Operation) -> Sequence[Parameter[Any]]:
    return (*operation.parameters, REQUEST_ID)


def _key(parameter: Parameter[Any]) -> str:
    return parameter.key or parameter.name


def _parameter(parameter: Parameter[Any]) -> Json:
    described: Json = {"name": parameter.name, "in": parameter.where}
    if parameter.required:
        described["required"] = True
    described |= {"description": parameter.description, "schema": dict(parameter.schema)}
    if parameter.example is not None:
        described["example"] = parameter.example
    if parameter.is_prefix:
        # An object each of whose members is a parameter of its own: what stands before their names is their pattern's.
        described |= {"style": "form", "explode": True}
    return described
