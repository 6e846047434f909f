"""Keccak-256."""

from Crypto.Hash import keccak as _keccak


def keccak(content: bytes) -> bytes:
    """Keccak-256."""
    return _keccak.new(data=content, digest_bits=256).digest()
