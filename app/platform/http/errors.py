"""Error answers: the one envelope that each of them is sent in, and what the log says of them."""

import traceback
from collections.abc import Container, Mapping
from typing import Any

import structlog
from msgspec import Struct, json

from app.kernel.errors import Unavailable
from app.platform.http.codes import UNAVAILABLE, VALIDATION_ERROR, ErrorCode, in_a_moment

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Error(Struct, frozen=True):
    """`code` is stable; `message` is for people; `details` depends on the code."""

    code: str
    message: str
    details: dict[str, Any]


class ErrorEnvelope(Struct, frozen=True):
    """What every answer other than a success looks like."""

    error: Error


class Problem(Exception):  # noqa: N818 -- it is an answer
    """An answer other than a success. `headers` go with it."""

    def __init__(
        self,
        kind: ErrorCode,
        message: str | None = None,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind.name)
        self.kind = kind
        self.message = kind.message if message is None else message
        self.details = dict(details or {})
        self.headers = dict(headers or {})

    @property
    def code(self) -> str:
        """What clients know it by."""
        return self.kind.name

    @property
    def status(self) -> int:
        """Its HTTP status."""
        return self.kind.status

    @property
    def body(self) -> bytes:
        """The envelope."""
        return envelope(self.kind, self.message, self.details)


_encode = json.Encoder().encode


def envelope(kind: ErrorCode, message: str, details: Mapping[str, Any]) -> bytes:
    """The JSON of an error."""
    return _encode(ErrorEnvelope(Error(kind.name, message, dict(details))))


def validation(details: Mapping[str, str]) -> Problem:
    """The request is malformed: `details` says which member and why."""
    return Problem(VALIDATION_ERROR, details=details)


def unavailable(details: Mapping[str, str] | None = None) -> Problem:
    """The service cannot answer for now; nothing is promised about what happened."""
    return Problem(UNAVAILABLE, details=details, headers={"Retry-After": str(in_a_moment(None))})


def log_malformed(problem: Problem, named: Container[str]) -> None:
    """Log what is wrong with a request that is malformed, if it is. What is not `named` is the client's own word."""
    if problem.kind.name == VALIDATION_ERROR.name:
        details = {name if name in named else "unknown": why for name, why in problem.details.items()}
        _log.warning("validation_failed", details=details)


def log_unavailable(error: Unavailable) -> None:
    """Log why something cannot be answered for now, which the client is not told."""
    _log.warning("unavailable", reason=str(error))


def log_unexpected(error: BaseException) -> None:
    """Log a bug: which exception and where, but not its message, which may quote values."""
    _log.error(
        "unexpected_error",
        error=f"{type(error).__module__}.{type(error).__qualname__}",
        traceback="".join(traceback.format_tb(error.__traceback__)),
    )
