"""Cursors of lists of products: where a page ends, as an opaque string that is good for the same list only."""

import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import blake2s
from typing import Final
from uuid import UUID

from app.contexts.catalog.application.browse import Position
from app.kernel.principal import TenantId
from app.platform.http.errors import validation

PATTERN: Final = "^[A-Za-z0-9_-]{64}$"

_CURSOR: Final = re.compile(r"[A-Za-z0-9_-]{64}")
_POSITION: Final = struct.Struct(">dqq16s")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def to_cursor(tenant_id: TenantId, of: str, position: Position) -> str:
    """The position as a cursor of the list that `of` describes."""
    at = (position.at - _EPOCH) // timedelta(microseconds=1)
    content = _POSITION.pack(position.rank, position.price_minor, at, position.id.bytes)
    return urlsafe_b64encode(content + _check(tenant_id, of, content)).decode("ascii")


def position_of(tenant_id: TenantId, of: str, cursor: str) -> Position:
    """Where the page starts that a cursor stands for.

    Raises:
        Problem: it was handed out for another list, or not at all.
    """
    raw = urlsafe_b64decode(cursor) if _CURSOR.fullmatch(cursor) else b""
    content = raw[: _POSITION.size]
    try:
        if not raw or raw[_POSITION.size :] != _check(tenant_id, of, content):
            raise ValueError
        rank, price_minor, at, id_ = _POSITION.unpack(content)
        return Position(rank, price_minor, _EPOCH + timedelta(microseconds=at), UUID(bytes=id_))
    except (ValueError, OverflowError):
        raise validation({"cursor": "must be a next_cursor of an earlier answer to the same request"}) from None


def _check(tenant_id: TenantId, of: str, content: bytes) -> bytes:
    """Tells a cursor from garbage. It guards no secret: a cursor only says where to go on in a list."""
    return blake2s(content + of.encode(), key=tenant_id.bytes, digest_size=8).digest()
