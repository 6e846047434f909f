"""The answers of an operation in the OpenAPI document: by status, with their headers, shapes and examples."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.platform.http.codes import ErrorCode
from app.platform.http.operations import ForeignError, Operation, Success
from app.platform.http.parameters import IDEMPOTENCY_KEY

SCHEMAS = "#/components/schemas/"
JSON = "application/json"

Json = dict[str, Any]

RESPONSE_HEADERS: Mapping[str, Json] = {
    "X-Request-ID": {
        "description": "The request's id: the client's own, if it was well-formed.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
    },
    "Retry-After": {
        "description": "Seconds after which to come back.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "Idempotent-Replayed": {
        "description": "The answer was stored by an earlier run of the same request.",
        "schema": {"const": "true"},
    },
    "Cache-Control": {
        "description": "Who may keep the answer, and how long, where that is not nobody.",
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "The version that this is: for `If-None-Match` and `If-Match`.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[!#-~]+"$'},
    },
    "Set-Cookie": {
        "description": "What a browser keeps of being let in, or forgets.",
        "schema": {"type": "string"},
    },
    "Allow": {"description": "The methods of the resource.", "required": True, "schema": {"type": "string"}},
    "WWW-Authenticate": {
        "description": "What is asked for.",
        "required": True,
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": 'The limit: `"user";q=100;w=5`, of `w` seconds for as many requests as `q`.',
        "required": True,
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": "What is left of it, and the seconds after which there is more.",
        "required": True,
        "schema": {"type": "string"},
    },
}


def responses(operation: Operation, references: Mapping[Any, Json]) -> Json:
    """All that the operation answers."""
    is_idempotent = IDEMPOTENCY_KEY in operation.parameters
    successes: Json = {}
    for one in operation.successes:
        described = _success(one, references, is_idempotent)
        first = successes.setdefault(str(one.status), described)
        if first is not described:  # the same in another form
            first["content"] |= described["content"]
    errors = _with_foreign(_errors(operation.errors), operation.foreign_errors, references)
    _loosen(errors, operation)
    return successes | errors


def _headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-ID", *names)}


def _success(success: Success, references: Mapping[Any, Json], is_stored: bool) -> Json:
    described = {
        "description": success.description,
        "headers": _headers(*success.headers, *(("Idempotent-Replayed",) if is_stored else ())),
    }
    if success.type is not None:
        content: Json = {"schema": references[success.type]}
        if success.example is not None:
            content["example"] = success.example
        described["content"] = {success.media_type: content}
    return described


def _errors(kinds: Sequence[ErrorCode]) -> Json:
    """The responses of these errors, by status."""
    responses: Json = {}
    for kind in kinds:
        response = responses.setdefault(
            str(kind.status),
            {
                "description": "",
                "headers": _headers(),
                "content": {JSON: {"schema": {"$ref": SCHEMAS + "ErrorEnvelope"}, "examples": {}}},
            },
        )
        response["description"] += f"{' ' if response['description'] else ''}`{kind.name}`: {kind.when}"
        response["content"][JSON]["examples"][kind.name] = {
            "value": {"error": {"code": kind.name, "message": kind.message, "details": dict(kind.details)}}
        }
        response["headers"] |= _error_headers(kind)
    return responses


def _with_foreign(responses: Json, foreign: Sequence[ForeignError], references: Mapping[Any, Json]) -> Json:
    """The responses, with those in another protocol's words: of one status there may be both."""
    for error in foreign:
        schema = references[error.type]
        response = responses.setdefault(
            str(error.status),
            {"description": "", "headers": _headers(), "content": {JSON: {"schema": schema, "examples": {}}}},
        )
        response["description"] = f"{response['description']} {error.when}".strip()
        response["headers"] |= _headers(*error.headers)
        content = response["content"][JSON]
        if content["schema"] != schema:
            content["schema"] = {"anyOf": [*content["schema"].get("anyOf", [content["schema"]]), schema]}
        content["examples"][error.example_name] = {"value": error.example}
    return responses


def _error_headers(kind: ErrorCode) -> Json:
    retry = ("Retry-After",) if kind.retry_after_s else ()
    replayed = ("Idempotent-Replayed",) if kind.is_stored else ()
    return _headers(*kind.headers, *retry, *replayed)


def _loosen(errors: Json, operation: Operation) -> None:
    """Where several errors have a status, what only some of them have need not be there."""
    for status, response in errors.items():
        kinds = [_error_headers(kind) for kind in operation.errors if str(kind.status) == status]
        kinds += [_headers(*error.headers) for error in operation.foreign_errors if str(error.status) == status]
        for name in response["headers"]:
            header = RESPONSE_HEADERS[name]
            if "required" in header and not all(name in kind for kind in kinds):
                response["headers"][name] = {key: value for key, value in header.items() if key != "required"}
