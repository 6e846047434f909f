"""Secrets that are handed out and never kept: what opens a session, what renews it, and what a machine shows.

Each begins with the tenant whose it is: a hint, by which is known where to look it up. Kept is its SHA-256: it has 256
bits that nobody chose, so that nothing is won by hashing it slowly, nor by comparing it in constant time.
"""

import secrets
from hashlib import sha256
from typing import Final
from uuid import UUID

from app.kernel.principal import TenantId

MOST_CHARACTERS: Final = 128
"""What is longer is none."""

_BYTES: Final = 32
_HEX: Final = 32


def new_secret() -> str:
    """256 random bits, as letters, digits, `-` and `_`."""
    return secrets.token_urlsafe(_BYTES)


def new_token(tenant_id: TenantId) -> str:
    """A secret that begins with its tenant."""
    return f"{tenant_id.hex}.{new_secret()}"


def tenant_of(token: str) -> TenantId | None:
    """The tenant that it begins with; None where it is no token of ours, whatever it is."""
    hexadecimal, point, rest = token.partition(".")
    is_formed = len(hexadecimal) == _HEX and hexadecimal.isascii() and hexadecimal.isalnum() and point and rest
    if not is_formed or len(token) > MOST_CHARACTERS:
        return None
    try:
        return TenantId(UUID(hex=hexadecimal))
    except ValueError:
        return None


def digest(token: str) -> bytes:
    """What is kept of it."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
