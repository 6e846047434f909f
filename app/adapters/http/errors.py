"""The one table from errors to what HTTP answers, and the envelope that every one of them is sent in."""

import traceback
from collections.abc import Mapping
from typing import Any, Literal

import structlog
from litestar.exceptions import HTTPException
from msgspec import Struct, json

from app.application.ports import Unavailable
from app.domain.refusals import GatewayUnavailable, InsufficientFunds, KeyInProgress, Refusal

ErrorCode = Literal[
    "VALIDATION_ERROR",
    "UNAUTHORIZED",
    "NOT_FOUND",
    "METHOD_NOT_ALLOWED",
    "INSUFFICIENT_FUNDS",
    "IDEMPOTENCY_IN_PROGRESS",
    "PAYLOAD_TOO_LARGE",
    "URI_TOO_LONG",
    "UNSUPPORTED_MEDIA_TYPE",
    "HEADERS_TOO_LARGE",
    "IDEMPOTENCY_KEY_REUSED",
    "INTERNAL",
    "GATEWAY_ERROR",
    "GATEWAY_UNAVAILABLE",
    "UNAVAILABLE",
    "GATEWAY_TIMEOUT",
]

STATUS: Mapping[str, int] = {
    "VALIDATION_ERROR": 400,
    "UNAUTHORIZED": 401,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "INSUFFICIENT_FUNDS": 409,
    "IDEMPOTENCY_IN_PROGRESS": 409,
    "PAYLOAD_TOO_LARGE": 413,
    "URI_TOO_LONG": 414,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "IDEMPOTENCY_KEY_REUSED": 422,
    "HEADERS_TOO_LARGE": 431,
    "INTERNAL": 500,
    "GATEWAY_ERROR": 502,
    "GATEWAY_UNAVAILABLE": 503,
    "UNAVAILABLE": 503,
    "GATEWAY_TIMEOUT": 504,
}

NAMED = frozenset(
    {
        *("body", "query", "request", "user_id", "currency", "cursor", "limit"),
        *("provider_id", "external_reference", "amount"),
        *("Host", "Idempotency-Key", "Transfer-Encoding", "Upgrade"),
    }
)
"""What may be wrong with a request and has a name of ours. Any other is the client's own word, and never logged."""

RETRY_AFTER_S = 1
"""When to come back after a failure that says nothing better, or for a payment that is still under way."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Error(Struct, frozen=True):
    """`code` is stable; `message` is for people; `details` depends on the code."""

    code: ErrorCode
    message: str
    details: dict[str, Any]


class ErrorEnvelope(Struct, frozen=True):
    """What every answer other than a success looks like."""

    error: Error


class Problem(Exception):  # noqa: N818 -- it is an answer
    """An answer other than a success. `headers` go with it."""

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.details = dict(details or {})
        self.headers = dict(headers or {})

    @property
    def status(self) -> int:
        """Its HTTP status."""
        return STATUS[self.code]

    @property
    def body(self) -> bytes:
        """The envelope."""
        return envelope(self.code, self.message, self.details)


_encode = json.Encoder().encode


def envelope(code: ErrorCode, message: str, details: Mapping[str, Any]) -> bytes:
    """The JSON of an error."""
    return _encode(ErrorEnvelope(Error(code, message, dict(details))))


def validation(details: Mapping[str, str]) -> Problem:
    """The request is malformed: `details` says which member and why."""
    return Problem("VALIDATION_ERROR", "the request is malformed", details)


def unavailable(details: Mapping[str, str] | None = None) -> Problem:
    """The service cannot answer for now; nothing is promised about what happened."""
    return Problem(
        "UNAVAILABLE",
        "the service cannot answer at the moment; retry, with the same Idempotency-Key if there was one",
        details,
        {"Retry-After": str(RETRY_AFTER_S)},
    )


def not_found() -> Problem:
    """There is no such route."""
    return Problem("NOT_FOUND", "there is no such resource")


def problem_of(error: BaseException) -> Problem:
    """What the error is to the client. What is malformed is logged, and what nobody foresaw, which tells the client
    nothing."""
    problem = _problem_of(error)
    log_malformed(problem)
    return problem


def _problem_of(error: BaseException) -> Problem:
    match error:
        case Problem():
            return error
        case Unavailable():
            return unavailable()
        case GatewayUnavailable():
            return _refused(error, {}, {"Retry-After": str(error.retry_after_s)})
        case KeyInProgress():
            return _refused(error, {"payment_id": error.payment_id}, {"Retry-After": str(RETRY_AFTER_S)})
        case InsufficientFunds():
            return _refused(error, funds(error))
        case Refusal(code=code) if code in STATUS:
            return _refused(error)
        case HTTPException(status_code=404):
            return not_found()
        case HTTPException(status_code=status) if status < 500:
            # Litestar looks at a few things of its own, such as the form of Host.
            return validation({"request": "is not well-formed"})
        case _:
            log_unexpected(error)
            return Problem("INTERNAL", "something went wrong inside the service")


def funds(refusal: InsufficientFunds) -> dict[str, Any]:
    """What a client is told about the funds that were missing."""
    return {
        "currency": refusal.currency,
        "current_balance": refusal.current_balance,
        "amount": refusal.amount,
    }


def log_malformed(problem: Problem) -> None:
    """Log what is wrong with a request that is malformed, if it is."""
    if problem.code == "VALIDATION_ERROR":
        details = {name if name in NAMED else "unknown": why for name, why in problem.details.items()}
        _log.warning("validation_failed", details=details)


def log_unexpected(error: BaseException) -> None:
    """Log a bug: which exception and where, but not its message, which may quote values."""
    _log.error(
        "unexpected_error",
        error=f"{type(error).__module__}.{type(error).__qualname__}",
        traceback="".join(traceback.format_tb(error.__traceback__)),
    )


def _refused(
    refusal: Refusal, details: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
) -> Problem:
    return Problem(refusal.code, str(refusal), details, headers)  # type: ignore[arg-type] # a key of STATUS
