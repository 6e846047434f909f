"""Parameters that operations of several contexts have."""

import re
from typing import NoReturn
from uuid import UUID

import msgspec

from app.kernel.currencies import is_well_formed
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.platform.http import headers, queries
from app.platform.http.errors import validation
from app.platform.http.operations import Parameter
from app.platform.http.shapes import CURRENCY_RULE

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
_LIMIT = re.compile(r"[1-9][0-9]{0,2}")


def _wrong(name: str, why: str) -> NoReturn:
    raise validation({name: why}) from None


def read_uuid(name: str, text: str) -> UUID:
    """A UUID in any spelling.

    Raises:
        Problem: it is none.
    """
    try:
        return msgspec.convert(text, UUID)
    except msgspec.ValidationError:
        _wrong(name, "must be a UUID")


def _read_limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not _LIMIT.fullmatch(text) or int(text) > MAX_LIMIT:
        _wrong("limit", f"must be an integer between 1 and {MAX_LIMIT}")
    return int(text)


def _read_currency(text: str | None) -> Currency | None:
    """A currency of the right form. Whether it is known counts only where there is no wallet."""
    if text is not None and not is_well_formed(text):
        _wrong("currency", CURRENCY_RULE)
    return None if text is None else Currency(text)


def _read_user(text: str) -> UserId:
    return UserId(read_uuid("user_id", text))


USER_ID: Parameter[UserId] = Parameter(
    name="user_id",
    where="path",
    read=_read_user,
    required=True,
    description="The user, in any spelling of a UUID.",
    schema={"type": "string", "format": "uuid"},
    example="6f0d5c1e-8a3b-4f39-9a52-0c1b7e2d4a10",
)
IDEMPOTENCY_KEY: Parameter[str] = Parameter(
    name="Idempotency-Key",
    key="idempotency_key",
    where="header",
    read=headers.idempotency_key,
    required=True,
    description='Names the request within the user. `"abc"` and `abc` are the same key.',
    schema={"type": "string", "pattern": "^[!#-~][!-~]{0,254}$"},
    example="order-20260131-0001",
)
TRACEPARENT: Parameter[str | None] = Parameter(
    name="traceparent",
    where="header",
    read=headers.traceparent,
    description="W3C trace context; taken on when valid.",
    schema={"type": "string"},
    example="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)
REQUEST_ID: Parameter[str] = Parameter(
    name="X-Request-ID",
    key="request_id",
    where="header",
    read=headers.request_id,
    description="1 to 128 visible ASCII characters: echoed, and in every log line. For anything else the "
    "request gets a fresh one.",
    schema={"type": "string"},
    example="checkout-7f3a",
)
LIMIT: Parameter[int] = Parameter(
    name="limit",
    where="query",
    read=_read_limit,
    description="How many lines a page has.",
    schema={"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
)
CURSOR: Parameter[str | None] = Parameter(
    name="cursor",
    key="page_cursor",
    where="query",
    read=lambda text: text,  # it belongs to who asks and to the filters, and is read with them
    description="The `next_cursor` of an earlier answer to the same request: of the same list, with the same filters.",
    schema={"type": "string", "pattern": queries.CURSOR_PATTERN},
)
CURRENCY: Parameter[Currency | None] = Parameter(
    name="currency",
    where="query",
    read=_read_currency,
    description="Only what is in this currency.",
    schema={"$ref": "#/components/schemas/Currency"},
    example="USD",
)
