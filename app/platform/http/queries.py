"""Path and query parameters, read strictly, and the cursor of a page."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from hashlib import blake2s
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec

from app.adapters.http.errors import Problem, validation
from app.application.wallets.read_transactions import Position
from app.domain.currencies import is_well_formed
from app.domain.ids import UserId
from app.domain.money import Currency
from app.domain.refusals import UserNotFound, WalletNotFound

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_PARAMETERS = 8
CURRENCY_RULE = "must be the code of a known currency, such as USD"

_LIMIT = re.compile(r"[1-9][0-9]{0,2}")
CURSOR_PATTERN = "^[A-Za-z0-9_-]{40}$"
_CURSOR = re.compile(r"[A-Za-z0-9_-]{40}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def user_id(text: str) -> UserId:
    """The user that the path names, in any spelling of a UUID.

    Raises:
        Problem: it is none.
    """
    try:
        return UserId(msgspec.convert(text, UUID))
    except msgspec.ValidationError:
        raise validation({"user_id": "must be a UUID"}) from None


def parameters(query: bytes, known: AbstractSet[str]) -> Mapping[str, str]:
    """The query's parameters.

    Raises:
        Problem: one is unknown, or there twice, or the query is not well-formed.
    """
    if not query:
        return {}
    try:
        pairs = parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:
        raise validation({"query": "must be name=value pairs in UTF-8, joined by &"}) from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            shown = name[:64].encode("ascii", "backslashreplace").decode()
            raise validation({shown: "is not a parameter of this request"})
        if name in found:
            raise validation({name: "must be there once, not several times"})
        found[name] = value
    return found


def currency(given: Mapping[str, str]) -> Currency | None:
    """The currency asked for, if any. Whether it is known counts only where there is no wallet (see `no_wallet`).

    Raises:
        Problem: it is none.
    """
    code = given.get("currency")
    if code is not None and not is_well_formed(code):
        raise validation({"currency": CURRENCY_RULE})
    return None if code is None else Currency(code)


def no_wallet(
    refusal: UserNotFound | WalletNotFound, currency: Currency | None, known: AbstractSet[str]
) -> Problem | UserNotFound | WalletNotFound:
    """The refusal of a request that found no wallet: in a currency that is not known, what is wrong is that."""
    if currency is None or currency in known:
        return refusal
    return validation({"currency": CURRENCY_RULE})


def limit(given: Mapping[str, str]) -> int:
    """How many lines a page has.

    Raises:
        Problem: it is not within bounds.
    """
    text = given.get("limit")
    if text is None:
        return DEFAULT_LIMIT
    if not _LIMIT.fullmatch(text) or int(text) > MAX_LIMIT:
        raise validation({"limit": f"must be an integer between 1 and {MAX_LIMIT}"})
    return int(text)


def to_cursor(user: UserId, position: Position) -> str:
    """A page's start as an opaque string, good for this user only."""
    at, line = position
    content = ((at - _EPOCH) // timedelta(microseconds=1)).to_bytes(8, "big", signed=True) + line.bytes
    return urlsafe_b64encode(content + _check(user, content)).decode("ascii")


def from_cursor(user: UserId, given: Mapping[str, str]) -> Position | None:
    """Where the page starts, if the request continues one.

    Raises:
        Problem: the cursor was not handed out to this user.
    """
    text = given.get("cursor")
    if text is None:
        return None
    raw = urlsafe_b64decode(text) if _CURSOR.fullmatch(text) else b""
    content, check = raw[:24], raw[24:]
    try:
        if not raw or check != _check(user, content):
            raise ValueError
        at = _EPOCH + timedelta(microseconds=int.from_bytes(content[:8], "big", signed=True))
    except (ValueError, OverflowError):
        raise validation({"cursor": "must be a next_cursor of an earlier answer for the same user"}) from None
    return at, UUID(bytes=content[8:])


def _check(user: UserId, content: bytes) -> bytes:
    """Tells a cursor from garbage. It guards no secret: a cursor only says where to go on in the user's own lines."""
    return blake2s(content, key=user.bytes, digest_size=6).digest()
