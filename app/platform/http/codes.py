"""The codes of error answers, and those that any operation may answer with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.kernel.refusals import Refusal
from app.platform.people import NotLetIn

RETRY_AFTER_S = 1
"""When to come back after a failure that says nothing better, or for something that is still under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCode:
    """An error answer: its code and status, when it is given, an example's message and details.

    `refusals` are the business reasons that it stands for; `details_of` and `retry_after_s` say of such a one what the
    client is told, and after how many seconds to come back. `is_stored`: it is kept with its Idempotency-Key, and
    replayed. `headers` names those that it has beside X-Request-ID and Retry-After.
    """

    name: str
    status: int
    when: str
    message: str
    details: Mapping[str, Any]
    headers: tuple[str, ...] = ()
    refusals: tuple[type[Refusal], ...] = ()
    details_of: Callable[[Any], Mapping[str, Any]] = lambda _: {}
    retry_after_s: Callable[[Any], int] | None = None
    is_stored: bool = False


def in_a_moment(_: object) -> int:
    """The usual time after which to come back, whatever the reason."""
    return RETRY_AFTER_S


VALIDATION_ERROR = ErrorCode(
    name="VALIDATION_ERROR",
    status=400,
    when="The request is malformed; `details` says which member and why.",
    message="the request is malformed",
    details={"request": "is not well-formed"},
)
UNAUTHORIZED = ErrorCode(
    name="UNAUTHORIZED",
    status=401,
    when="No key, or a wrong one.",
    message="a valid X-API-Key is needed",
    details={},
    headers=("WWW-Authenticate",),
)
NOT_LET_IN = replace(
    UNAUTHORIZED,
    when="No credential, or one that is none, or none any more.",
    message="a valid credential is needed",
    refusals=(NotLetIn,),
)
"""The same, where people and machines ask instead of holders of keys."""
FORBIDDEN = ErrorCode(
    name="FORBIDDEN",
    status=403,
    when="Whoever asks may not: another role, or a scope, is needed.",
    message="this is not for whoever asks",
    details={},
    headers=("WWW-Authenticate",),
)
ORIGIN_REFUSED = ErrorCode(
    name="ORIGIN_REFUSED",
    status=403,
    when="A page of another site asks, by a browser's cookie or for one.",
    message="a page of another site may not ask for this",
    details={},
)
RATE_LIMITED = ErrorCode(
    name="RATE_LIMITED",
    status=429,
    when="More requests than are let through. `details` names the limit.",
    message="too many requests; come back later",
    details={"limit": "ip"},
    headers=("RateLimit-Policy", "RateLimit"),
    retry_after_s=in_a_moment,
)
NOT_FOUND = ErrorCode(
    name="NOT_FOUND",
    status=404,
    when="There is no such resource.",
    message="there is no such resource",
    details={},
)
METHOD_NOT_ALLOWED = ErrorCode(
    name="METHOD_NOT_ALLOWED",
    status=405,
    when="Another method than the ones in `Allow`.",
    message="the resource does not answer this method",
    details={"allow": "GET, HEAD"},
    headers=("Allow",),
)
PAYLOAD_TOO_LARGE = ErrorCode(
    name="PAYLOAD_TOO_LARGE",
    status=413,
    when="The body is over 64 KiB.",
    message="a body has at most 65536 bytes",
    details={},
)
URI_TOO_LONG = ErrorCode(
    name="URI_TOO_LONG",
    status=414,
    when="The request target is over 8 KiB.",
    message="a request target has at most 8192 bytes",
    details={},
)
PRECONDITION_FAILED = ErrorCode(
    name="PRECONDITION_FAILED",
    status=412,
    when="The resource has another version than those of `If-Match`.",
    message="it has changed since; read it again",
    details={"version": 4},
)
PRECONDITION_REQUIRED = ErrorCode(
    name="PRECONDITION_REQUIRED",
    status=428,
    when="There is no `If-Match`.",
    message="say in If-Match which version is to change: its ETag",
    details={},
)
UNSUPPORTED_MEDIA_TYPE = ErrorCode(
    name="UNSUPPORTED_MEDIA_TYPE",
    status=415,
    when="The body is not `application/json`, or is compressed.",
    message="the body must be application/json",
    details={"Content-Type": "application/json"},
)
HEADERS_TOO_LARGE = ErrorCode(
    name="HEADERS_TOO_LARGE",
    status=431,
    when="More than 100 headers, or more than 16 KiB of them.",
    message="the headers are too many or too large",
    details={},
)
INTERNAL = ErrorCode(
    name="INTERNAL", status=500, when="A bug.", message="something went wrong inside the service", details={}
)
UNAVAILABLE = ErrorCode(
    name="UNAVAILABLE",
    status=503,
    when="The service cannot answer for now. Nothing is promised about what happened: retry with the same key.",
    message="the service cannot answer at the moment; retry, with the same Idempotency-Key if there was one",
    details={},
    retry_after_s=in_a_moment,
)

ANY_OPERATION = (VALIDATION_ERROR, METHOD_NOT_ALLOWED, PAYLOAD_TOO_LARGE, URI_TOO_LONG, HEADERS_TOO_LARGE, INTERNAL)
"""What every operation may answer with, whatever it does."""
