"""What the document says of headers, parameters and errors, with an example of each."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from app.adapters.http import queries
from app.adapters.http.errors import ErrorCode
from app.domain.money import MAX_MINOR

USER = "6f0d5c1e-8a3b-4f39-9a52-0c1b7e2d4a10"
PAYMENT = "0193a5b2-7c4e-7d10-8f21-3b6a9c0e5d42"
TRANSACTION = "0193a5b2-7c4e-7d11-a1b2-5e8d7c6b4a31"
PROVIDER = "2b1d9a34-5c6e-4f70-8a9b-1c2d3e4f5a60"
AT = "2026-01-31T12:00:00.000000Z"


class DocumentedError(NamedTuple):
    """When an error is answered, and an example's message and details."""

    when: str
    message: str
    details: Mapping[str, Any] = {}


_GATEWAY = {"payment_id": PAYMENT, "status": "FAILED", "refunded": True}

ERRORS: Mapping[ErrorCode, DocumentedError] = {
    "VALIDATION_ERROR": DocumentedError(
        "The request is malformed; `details` says which member and why.",
        "the request is malformed",
        {"amount": f"must be an integer between 1 and {MAX_MINOR}"},
    ),
    "UNAUTHORIZED": DocumentedError("No key, or a wrong one.", "a valid X-API-Key is needed"),
    "NOT_FOUND": DocumentedError("There is no such user, wallet or active provider.", "there is no such user"),
    "METHOD_NOT_ALLOWED": DocumentedError(
        "Another method than the ones in `Allow`.",
        "the resource does not answer this method",
        {"allow": "GET, HEAD"},
    ),
    "INSUFFICIENT_FUNDS": DocumentedError(
        "The wallet does not hold enough. Stored: after a top-up a new key is needed.",
        "the wallet does not hold enough; after a top-up use a new Idempotency-Key",
        {"currency": "USD", "current_balance": 100, "amount": 1250},
    ),
    "IDEMPOTENCY_IN_PROGRESS": DocumentedError(
        "The same key is being worked on, or its payment is still pending.",
        "a request with this Idempotency-Key is still being worked on; retry with the same key",
        {"payment_id": PAYMENT},
    ),
    "PAYLOAD_TOO_LARGE": DocumentedError("The body is over 64 KiB.", "a body has at most 65536 bytes"),
    "URI_TOO_LONG": DocumentedError("The request target is over 8 KiB.", "a request target has at most 8192 bytes"),
    "UNSUPPORTED_MEDIA_TYPE": DocumentedError(
        "The body is not `application/json`, or is compressed.",
        "the body must be application/json",
        {"Content-Type": "application/json"},
    ),
    "HEADERS_TOO_LARGE": DocumentedError(
        "More than 100 headers, or more than 16 KiB of them.", "the headers are too many or too large"
    ),
    "IDEMPOTENCY_KEY_REUSED": DocumentedError(
        "The same key with another request.", "this Idempotency-Key was used with another request"
    ),
    "INTERNAL": DocumentedError("A bug.", "something went wrong inside the service"),
    "GATEWAY_ERROR": DocumentedError(
        "The gateway answered with an error. `FAILED`: nothing is charged and the funds are back. `PENDING`: not known "
        "yet; the same key tells the outcome.",
        "the payment gateway answered with an error; the payment failed and its funds are back in the wallet",
        _GATEWAY,
    ),
    "GATEWAY_UNAVAILABLE": DocumentedError(
        "The gateway takes no new payments. Nothing was done; the key stays free.",
        "the payment gateway takes no new payments at the moment; nothing was charged",
    ),
    "UNAVAILABLE": DocumentedError(
        "The service cannot answer for now. Nothing is promised about what happened: retry with the same key.",
        "the service cannot answer at the moment; retry, with the same Idempotency-Key if there was one",
    ),
    "GATEWAY_TIMEOUT": DocumentedError(
        "The gateway did not answer in time, or the request's time was over. `status` and `refunded` as with 502.",
        "the payment gateway did not answer in time; the outcome is not known yet: "
        "the same Idempotency-Key will tell it",
        _GATEWAY | {"status": "PENDING", "refunded": False},
    ),
}

COMMON: Sequence[ErrorCode] = (
    "VALIDATION_ERROR",
    "METHOD_NOT_ALLOWED",
    "PAYLOAD_TOO_LARGE",
    "URI_TOO_LONG",
    "HEADERS_TOO_LARGE",
    "INTERNAL",
)
READING: Sequence[ErrorCode] = (*COMMON, "UNAUTHORIZED", "NOT_FOUND", "UNAVAILABLE")
PAYING: Sequence[ErrorCode] = (
    *READING,
    "INSUFFICIENT_FUNDS",
    "IDEMPOTENCY_IN_PROGRESS",
    "UNSUPPORTED_MEDIA_TYPE",
    "IDEMPOTENCY_KEY_REUSED",
    "GATEWAY_ERROR",
    "GATEWAY_UNAVAILABLE",
    "GATEWAY_TIMEOUT",
)

RESPONSE_HEADERS: Mapping[str, Any] = {
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
    "Allow": {"description": "The methods of the resource.", "required": True, "schema": {"type": "string"}},
    "WWW-Authenticate": {
        "description": "What is asked for.",
        "required": True,
        "schema": {"type": "string"},
    },
}

PARAMETERS: Mapping[str, Any] = {
    "user_id": {
        "name": "user_id",
        "in": "path",
        "required": True,
        "description": "The user, in any spelling of a UUID.",
        "schema": {"type": "string", "format": "uuid"},
        "example": USER,
    },
    "request_id": {
        "name": "X-Request-ID",
        "in": "header",
        "description": "1 to 128 visible ASCII characters: echoed, and in every log line. For anything else the "
        "request gets a fresh one.",
        "schema": {"type": "string"},
        "example": "checkout-7f3a",
    },
    "idempotency_key": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": 'Names the request within the user. `"abc"` and `abc` are the same key.',
        "schema": {"type": "string", "pattern": "^[!#-~][!-~]{0,254}$"},
        "example": "order-20260131-0001",
    },
    "traceparent": {
        "name": "traceparent",
        "in": "header",
        "description": "W3C trace context; taken on when valid.",
        "schema": {"type": "string"},
        "example": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    },
    "limit": {
        "name": "limit",
        "in": "query",
        "description": "How many lines a page has.",
        "schema": {
            "type": "integer",
            "minimum": 1,
            "maximum": queries.MAX_LIMIT,
            "default": queries.DEFAULT_LIMIT,
        },
    },
    "cursor": {
        "name": "cursor",
        "in": "query",
        "description": "The `next_cursor` of an earlier answer for the same user.",
        "schema": {"type": "string", "pattern": queries.CURSOR_PATTERN},
    },
    "currency": {
        "name": "currency",
        "in": "query",
        "description": "Only what is in this currency.",
        "schema": {"$ref": "#/components/schemas/Currency"},
        "example": "USD",
    },
}

_ORDER = {
    "provider_id": PROVIDER,
    "external_reference": "invoice 2026-0131",
    "amount": 1250,
    "currency": "USD",
}
EXAMPLES: Mapping[str, Any] = {
    "PaymentBody": _ORDER,
    "PaymentShape": {
        "payment_id": PAYMENT,
        "transaction_id": TRANSACTION,
        "user_id": USER,
        **_ORDER,
        "status": "APPROVED",
        "failure_code": None,
        "created_at": AT,
        "finalized_at": "2026-01-31T12:00:00.043210Z",
    },
    "BalancesShape": {
        "user_id": USER,
        "balances": [{"currency": "USD", "current_balance": 8750, "updated_at": AT}],
    },
    "TransactionsShape": {
        "transactions": [
            {
                "transaction_id": TRANSACTION,
                "kind": "PAYMENT",
                "direction": "DEBIT",
                "amount": 1250,
                "currency": "USD",
                "status": "APPROVED",
                "balance_after": 8750,
                "payment_id": PAYMENT,
                "provider_id": PROVIDER,
                "external_reference": "invoice 2026-0131",
                "created_at": AT,
            }
        ],
        "next_cursor": None,
    },
    "Health": {"status": "ok"},
}
