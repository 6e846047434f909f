"""Requests of `/v1` that are done once: what their key is held against, and how a stored answer is sent."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from msgspec import Struct, json

from app.kernel.refusals import Refusal
from app.platform.http.codes import ErrorCode, in_a_moment
from app.platform.http.errors import ErrorEnvelope, envelope
from app.platform.http.operations import Request
from app.platform.http.parameters import IDEMPOTENCY_KEY
from app.platform.http.replies import Reply
from app.platform.idempotency.keys import Answer, Answered, KeyedRequest
from app.platform.idempotency.refusals import KeyInProgress, KeyReused

IN_PROGRESS: Final = ErrorCode(
    name="IDEMPOTENCY_IN_PROGRESS",
    status=409,
    when="The same key is being worked on.",
    message="a request with this Idempotency-Key is still being worked on; retry with the same key",
    details={},
    refusals=(KeyInProgress,),
    retry_after_s=in_a_moment,
)
REUSED: Final = ErrorCode(
    name="IDEMPOTENCY_KEY_REUSED",
    status=422,
    when="The same key with another request, to whatever route.",
    message="this Idempotency-Key was used with another request",
    details={},
    refusals=(KeyReused,),
)
KEYED: Final = (IN_PROGRESS, REUSED)
"""What every operation with a key of `/v1` may answer with because of it."""

_REPLAYED = ((b"idempotent-replayed", b"true"),)
_encode = json.Encoder().encode
_error = json.Decoder(ErrorEnvelope).decode


def keyed(request: Request, route: str, body: Struct, path: Iterable[object] = ()) -> KeyedRequest:
    """The request by its key. `route` is method and template; `path` are the values of what stands in its path.

    The fingerprint is over what was decoded: spelling, order and white space of the JSON do not matter.
    """
    asked = b"\n".join((b"1", route.encode(), *(str(value).encode() for value in path), _encode(body)))
    return KeyedRequest(request.asker.id, request[IDEMPOTENCY_KEY], sha256(asked).digest())


def refused(kind: ErrorCode, refusal: Refusal) -> Answer:
    """The answer that is stored of a refusal, which is one of the kind's."""
    return Answer(kind.status, envelope(kind, str(refusal), kind.details_of(refusal)))


def reply_of(request: Request, answered: Answered) -> Reply:
    """The stored answer as it is sent; metrics and log are told of it."""
    answer = answered.answer
    request.is_replayed = answered.replayed
    if answer.status >= 400:
        request.error_code = _error(answer.body).error.code
    return Reply(answer.status, answer.body, _REPLAYED if answered.replayed else ())
