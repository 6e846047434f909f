"""Sealing under a key that is derived from a token: whoever has the database, and not the token, cannot read it."""

import os
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_ABOUT: Final = b"strongbox: the successor of a refresh token"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class TokenSeal:
    """It implements `Seal`."""

    def close(self, token: str, family_id: UUID, text: str) -> bytes:
        """See `Seal.close`."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + _cipher(token).encrypt(nonce, text.encode("ascii"), family_id.bytes)

    def open(self, token: str, family_id: UUID, sealed: bytes) -> str:
        """See `Seal.open`."""
        nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        return _cipher(token).decrypt(nonce, text, family_id.bytes).decode("ascii")


def _cipher(token: str) -> AESGCM:
    # The database has the token's SHA-256, of which the key cannot be made: it is made of an HMAC of the token itself.
    return AESGCM(HKDF(SHA256(), _KEY_BYTES, salt=None, info=_ABOUT).derive(token.encode("ascii")))
