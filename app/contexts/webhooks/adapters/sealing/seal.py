"""Secrets, kept encrypted: AES-256-GCM under a key derived from WEBHOOK_KEY, bound to the endpoint that it is of."""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.contexts.webhooks.domain.ids import EndpointId

_PURPOSE: Final = b"strongbox webhooks: secrets of endpoints"
_NONCE_BYTES: Final = 12
_FIRST: Final = b"\x01"
"""Of what is kept so; another way would begin with another byte."""


class AesSeal:
    """Implements `Seal`."""

    def __init__(self, key: str) -> None:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode("ascii"))
        self._cipher = AESGCM(derived)

    def close(self, secret: bytes, endpoint_id: EndpointId) -> bytes:
        """See `Seal.close`."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FIRST + nonce + self._cipher.encrypt(nonce, secret, endpoint_id.bytes)

    def open(self, sealed: bytes, endpoint_id: EndpointId) -> bytes:
        """See `Seal.open`."""
        first, nonce, rest = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            if first != _FIRST:
                raise InvalidTag
            return self._cipher.decrypt(nonce, rest, endpoint_id.bytes)
        except (InvalidTag, ValueError):
            raise ValueError("it was kept under another key, or of another endpoint") from None
