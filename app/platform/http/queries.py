"""Query strings, read strictly, and the cursor of a page."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from hashlib import blake2s
from urllib.parse import parse_qsl
from uuid import UUID

from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.platform.http.errors import Problem, validation
from app.platform.http.shapes import CURRENCY_RULE

Position = tuple[datetime, UUID]
"""A line by its time and id: where a page ends, and the next one begins."""

MAX_PARAMETERS = 32

CURSOR_PATTERN = "^[A-Za-z0-9_-]{40}$"
_CURSOR = re.compile(r"[A-Za-z0-9_-]{40}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parameters(query: bytes, known: AbstractSet[str], prefixes: Sequence[str] = ()) -> Mapping[str, str]:
    """The query's parameters: those that are known, and those whose names go on behind one of the prefixes.

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
        if name not in known and not name.startswith(tuple(prefixes)):
            shown = name[:64].encode("ascii", "backslashreplace").decode()
            raise validation({shown: "is not a parameter of this request"})
        if name in found:
            raise validation({name: "must be there once, not several times"})
        found[name] = value
    return found


def unknown_currency(currency: Currency | None, known: AbstractSet[str]) -> Problem | None:
    """What is wrong with a request that found no wallet in a currency that is not known, either."""
    return None if currency is None or currency in known else validation({"currency": CURRENCY_RULE})


def to_cursor(owner: UUID, position: Position, *of: str) -> str:
    """A page's start as an opaque string, good for this owner only, and for a list `of` the same: path and filters."""
    at, line = position
    content = ((at - _EPOCH) // timedelta(microseconds=1)).to_bytes(8, "big", signed=True) + line.bytes
    return urlsafe_b64encode(content + _check(owner, content, of)).decode("ascii")


def from_cursor(user: UserId, given: Mapping[str, str]) -> Position | None:
    """Where the page starts, if the request continues one.

    Raises:
        Problem: the cursor was not handed out to this user.
    """
    text = given.get("cursor")
    return None if text is None else position_of(user, text)


def position_of(owner: UUID, cursor: str, *of: str) -> Position:
    """Where the page starts that a cursor stands for.

    Raises:
        Problem: the cursor was not handed out to this owner, or of another list, or with other filters.
    """
    raw = urlsafe_b64decode(cursor) if _CURSOR.fullmatch(cursor) else b""
    content, check = raw[:24], raw[24:]
    try:
        if not raw or check != _check(owner, content, of):
            raise ValueError
        at = _EPOCH + timedelta(microseconds=int.from_bytes(content[:8], "big", signed=True))
    except (ValueError, OverflowError):
        same = "to the same request" if of else "for the same user"
        raise validation({"cursor": f"must be a next_cursor of an earlier answer {same}"}) from None
    return at, UUID(bytes=content[8:])


def _check(owner: UUID, content: bytes, of: Sequence[str] = ()) -> bytes:
    """Tells a cursor from garbage. It guards no secret: a cursor only says where to go on in the owner's own lines."""
    return blake2s(content + "\n".join(of).encode(), key=owner.bytes, digest_size=6).digest()
