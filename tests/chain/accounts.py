"""Somebody with a key, who signs with the library of others what the product signs by itself."""

from typing import Any

from eth_account import Account

from tests.chain.nodes import CHAIN_ID, Node, new_key

GWEI = 10**9


class Somebody:
    """An account of a node's chain."""

    def __init__(self, node: Node, *, poor: bool = False) -> None:
        self._node, self._key = node, new_key()
        self.address: str = Account.from_key(self._key).address.lower()
        if not poor:
            node.ask("anvil_setBalance", self.address, hex(10**21))

    def signed(self, to: str | None, data: str = "0x", **other: Any) -> str:
        """A transaction's bytes, in hexadecimal, with the next nonce unless another is given."""
        fields: dict[str, Any] = {
            "type": 2, "chainId": CHAIN_ID, "gas": 2_000_000 if to is None else 200_000, "value": 0, "data": data,
            "maxFeePerGas": 50 * GWEI, "maxPriorityFeePerGas": GWEI,
        } | other  # fmt: skip
        if "nonce" not in fields:
            fields["nonce"] = int(self._node.ask("eth_getTransactionCount", self.address, "pending"), 16)
        if to is not None:
            fields["to"] = bytes.fromhex(to[2:])
        return "0x" + bytes(Account.sign_transaction(fields, self._key).raw_transaction).hex()

    def send(self, to: str | None, data: str = "0x", **other: Any) -> str:
        """Send it; its hash."""
        return str(self._node.ask("eth_sendRawTransaction", self.signed(to, data, **other)))

    def do(self, to: str | None, data: str = "0x", **other: Any) -> dict[str, Any]:
        """Send it; the receipt."""
        return self._node.receipt(self.send(to, data, **other))
