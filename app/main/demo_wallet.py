"""A wallet for the tour: a key that is made up, and signs the message by which somebody shows that it is theirs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from coincurve import PrivateKey

from app.contexts.chain.adapters.evm.keccak import keccak
from app.contexts.chain.adapters.evm.transactions import address_of
from app.platform.eip55 import checksummed


class Wallet:
    """A key of nobody's, on no chain but the run's own."""

    def __init__(self) -> None:
        self._key = PrivateKey()

    @property
    def address(self) -> str:
        """As EIP-55 spells it."""
        return checksummed(address_of(self._key))

    def proof(self, asked: Mapping[str, Any]) -> Mapping[str, str]:
        """The message of EIP-4361 for what `GET /v1/auth/nonce` has answered, and its signature."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        message = (
            f"{asked['domain']} wants you to sign in with your Ethereum account:\n{self.address}\n\n\n"
            f"URI: {asked['uri']}\nVersion: 1\nChain ID: {asked['chain_ids'][0]}\n"
            f"Nonce: {asked['nonce']}\nIssued At: {at}"
        )
        return {"message": message, "signature": self._signature(message.encode())}

    def _signature(self, message: bytes) -> str:
        """By EIP-191, as wallets sign for people."""
        digest = keccak(b"\x19Ethereum Signed Message:\n%d" % len(message) + message)
        signature = self._key.sign_recoverable(digest, hasher=None)
        return "0x" + signature[:64].hex() + f"{signature[64] + 27:02x}"
