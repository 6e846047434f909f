"""The OpenAPI 3.1 document. What bodies look like comes from their types, which errors there are from the one table."""

from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from msgspec import json

from app.adapters.http.decoding import PaymentBody
from app.adapters.http.documented import (
    COMMON,
    ERRORS,
    EXAMPLES,
    PARAMETERS,
    PAYING,
    READING,
    RESPONSE_HEADERS,
)
from app.adapters.http.errors import STATUS, ErrorCode, ErrorEnvelope
from app.adapters.http.routing import BALANCE, PAYMENTS, TRANSACTIONS
from app.adapters.http.services import HttpOptions
from app.adapters.http.views import BalancesShape, Health, TransactionsShape
from app.adapters.shapes import PaymentShape

_SCHEMAS = "#/components/schemas/"
_RETRIED: frozenset[ErrorCode] = frozenset(("IDEMPOTENCY_IN_PROGRESS", "GATEWAY_UNAVAILABLE", "UNAVAILABLE"))

Json = dict[str, Any]


def document(options: HttpOptions) -> Json:
    """The document of an API with these options."""
    paths: Json = {
        PAYMENTS: {"post": _create_payment()},
        BALANCE: {"get": _get_balance()},
        TRANSACTIONS: {"get": _list_transactions()},
        **{path: {"get": operation} for path, operation in _system().items() if path in options.exposed},
    }
    for path in paths.values():
        for operation in path.values():
            operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/request_id"})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Strongbox",
            "version": _version(),
            "summary": "Wallets and payments.",
            "description": _ABOUT,
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": _schemas(options.known_currencies),
            "parameters": dict(PARAMETERS),
            "headers": dict(RESPONSE_HEADERS),
            "securitySchemes": {"ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
        },
    }


_ABOUT = (
    "Amounts are whole minor units (cents). Times are RFC 3339 in UTC. An unknown member, parameter or currency is "
    "refused. Everything but a 2xx has one envelope, whose `code` is stable."
)


def _version() -> str:
    try:
        return version("strongbox")
    except PackageNotFoundError:  # run from a checkout
        return "0"


def _schemas(currencies: Iterable[str]) -> Json:
    types = (PaymentBody, PaymentShape, BalancesShape, TransactionsShape, Health, ErrorEnvelope)
    _, schemas = json.schema_components(types, ref_template=_SCHEMAS + "{name}")
    # A body's type knows the form of a code; which codes are known is a setting.
    schemas["PaymentBody"]["properties"]["currency"] = {"$ref": _SCHEMAS + "Currency"}
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
    return schemas


def _parameters(*names: str) -> list[Json]:
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def _headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-ID", *names)}


def _success(description: str, schema: str, *headers: str) -> Json:
    content = {"schema": {"$ref": _SCHEMAS + schema}, "example": EXAMPLES[schema]}
    return {
        "description": description,
        "headers": _headers(*headers),
        "content": {"application/json": content},
    }


def _errors(codes: Sequence[ErrorCode], *stored: ErrorCode) -> Json:
    """The responses of these errors, by status; those that are `stored` may come as a replay."""
    responses: Json = {}
    for code in sorted(codes, key=STATUS.__getitem__):
        error = ERRORS[code]
        status = str(STATUS[code])
        response = responses.setdefault(
            status,
            {
                "description": "",
                "headers": _headers(),
                "content": {"application/json": {"schema": {"$ref": _SCHEMAS + "ErrorEnvelope"}, "examples": {}}},
            },
        )
        response["description"] += f"{' ' if response['description'] else ''}`{code}`: {error.when}"
        response["content"]["application/json"]["examples"][code] = {
            "value": {"error": {"code": code, "message": error.message, "details": dict(error.details)}}
        }
        response["headers"] |= _error_headers(code, is_stored=code in stored)
    return responses


def _error_headers(code: ErrorCode, *, is_stored: bool) -> Json:
    names = {"METHOD_NOT_ALLOWED": "Allow", "UNAUTHORIZED": "WWW-Authenticate"}
    headers = [names[code]] if code in names else []
    if code in _RETRIED:
        headers.append("Retry-After")
    if is_stored:
        headers.append("Idempotent-Replayed")
    return _headers(*headers)


def _operation(name: str, tag: str, summary: str, responses: Json) -> Json:
    return {"operationId": name, "tags": [tag], "summary": summary, "responses": responses}


def _create_payment() -> Json:
    created = _success("The payment: approved, or declined with its funds back.", "PaymentShape", "Idempotent-Replayed")
    body = {"schema": {"$ref": _SCHEMAS + "PaymentBody"}, "example": EXAMPLES["PaymentBody"]}
    return {
        **_operation(
            "createPayment",
            "payments",
            "Pay a provider out of a wallet",
            {"201": created, **_errors(PAYING, "INSUFFICIENT_FUNDS", "GATEWAY_ERROR", "GATEWAY_TIMEOUT")},
        ),
        "description": "At most one payment per user and key, however often it is sent. A finished request is answered "
        "again with the same bytes and `Idempotent-Replayed: true`.",
        "security": [{"ApiKey": []}],
        "parameters": _parameters("user_id", "idempotency_key", "traceparent"),
        "requestBody": {"required": True, "content": {"application/json": body}},
    }


def _get_balance() -> Json:
    balances = _success("The user's balances, by currency.", "BalancesShape")
    return {
        **_operation("getBalance", "wallets", "Read a user's balances", {"200": balances, **_errors(READING)}),
        "security": [{"ApiKey": []}],
        "parameters": _parameters("user_id", "currency"),
    }


def _list_transactions() -> Json:
    lines = _success("A page, newest first.", "TransactionsShape")
    return {
        **_operation("listTransactions", "wallets", "Read a user's transactions", {"200": lines, **_errors(READING)}),
        "security": [{"ApiKey": []}],
        "parameters": _parameters("user_id", "limit", "cursor", "currency"),
    }


def _text(media_type: str, description: str) -> Json:
    schema = {"type": "object"} if media_type == "application/json" else {"type": "string"}
    return {
        "description": description,
        "headers": _headers(),
        "content": {media_type: {"schema": schema}},
    }


def _system() -> Json:
    return {
        "/healthz": _operation(
            "getHealth",
            "system",
            "Whether the process is there",
            {"200": _success("It is.", "Health"), **_errors(COMMON)},
        ),
        "/readyz": _operation(
            "getReadiness",
            "system",
            "Whether the service can do its work",
            {"200": _success("It can.", "Health"), **_errors((*COMMON, "UNAVAILABLE"))},
        ),
        "/metrics": _operation(
            "getMetrics",
            "system",
            "Metrics for Prometheus",
            {"200": _text("text/plain", "Prometheus text."), **_errors(COMMON)},
        ),
        "/openapi.json": _operation(
            "getOpenApi",
            "system",
            "This document",
            {"200": _text("application/json", "OpenAPI 3.1."), **_errors(COMMON)},
        ),
        "/docs": _operation(
            "getDocs",
            "system",
            "This document, to read",
            {"200": _text("text/html", "A page without scripts."), **_errors(COMMON)},
        ),
    }
