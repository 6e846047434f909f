"""Whose key made a signature: libsecp256k1 (coincurve), and the Keccak of pycryptodome."""

from coincurve import PublicKey
from Crypto.Hash import keccak

from app.platform.eip55 import checksummed


class WalletKeys:
    """The port Keys."""

    def keccak(self, content: bytes) -> bytes:
        """Keccak-256."""
        return keccak.new(data=content, digest_bits=256).digest()

    def spelled(self, address: str) -> str:
        """The address, as EIP-55 spells it."""
        return checksummed(address)

    def address(self, digest: bytes, r_and_s: bytes, point: int) -> str | None:
        """The address, in its EIP-55 spelling, of the one key that can have signed this; None if there is none."""
        try:
            key = PublicKey.from_signature_and_message(r_and_s + bytes([point]), digest, hasher=None)
        except ValueError:  # no point of the curve has this r
            return None
        # Without the byte that says that the point is written out.
        return checksummed("0x" + self.keccak(key.format(compressed=False)[1:])[-20:].hex())
