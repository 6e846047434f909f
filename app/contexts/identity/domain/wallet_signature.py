"""Signatures of wallets: what is one by its form, and what of it a key may have made."""

import re
from collections.abc import Callable
from typing import Final

Keccak = Callable[[bytes], bytes]
"""Keccak-256, as Ethereum has it: not the SHA-3 of the standard library."""

MOST_BYTES: Final = 4096
"""Of a signature: a contract's may be of any form."""
_HEX: Final = re.compile("0x(?:[0-9A-Fa-f]{2})*+")
_OF_A_KEY: Final = 65
# The order of secp256k1's group. Of the two s that fit a signature only the one in the lower half is taken.
_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class NotASignature(Exception):  # noqa: N818 -- it says what the text is
    """The text is no signature. Says why, in words, and quotes nothing."""


def signature_of(text: str) -> bytes:
    """The bytes of a signature as it is sent.

    Raises:
        NotASignature: it is none.
    """
    if not _HEX.fullmatch(text):
        raise NotASignature("must be 0x and an even number of hexadecimal digits")
    if len(text) > 2 + 2 * MOST_BYTES:
        raise NotASignature(f"must be at most {MOST_BYTES} bytes")
    return bytes.fromhex(text[2:])


def by_a_key(signature: bytes) -> tuple[bytes, int] | None:
    """The signature as a key makes it: r and s, and by which of two points it was made; None if no key made it."""
    if len(signature) != _OF_A_KEY or signature[64] not in (27, 28):
        return None
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    if not 0 < r < _ORDER or not 0 < s <= _ORDER // 2:
        return None
    return signature[:64], signature[64] - 27


def digest_of(text: str, keccak: Keccak) -> bytes:
    """What a wallet signs of a text (EIP-191)."""
    content = text.encode()
    return keccak(b"\x19Ethereum Signed Message:\n%d%b" % (len(content), content))
