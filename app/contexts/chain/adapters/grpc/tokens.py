"""The token that callers carry as metadata."""

import hmac
from collections.abc import Iterable
from typing import Final

METADATA: Final = "authorization"


def carried(token: str) -> tuple[tuple[str, str], ...]:
    """The metadata with the token."""
    return ((METADATA, f"Bearer {token}"),)


def is_right(token: str, metadata: Iterable[tuple[str, str | bytes]] | None) -> bool:
    """Whether the token is in the metadata, once; how long that takes to tell says nothing of it."""
    found = [value for key, value in metadata or () if key == METADATA]
    given = found[0] if len(found) == 1 else ""
    given = given.encode() if isinstance(given, str) else given
    return hmac.compare_digest(given, f"Bearer {token}".encode())
