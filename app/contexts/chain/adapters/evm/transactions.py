"""Transactions as they are signed (EIP-1559, type 2)."""

from typing import Final

from coincurve import PrivateKey

from app.contexts.chain.adapters.evm.keccak import keccak
from app.contexts.chain.adapters.evm.rlp import Item, encode
from app.contexts.chain.domain.fees import Fees
from app.contexts.chain.domain.transactions import Signed

_TYPE: Final = b"\x02"


def signed(key: PrivateKey, chain_id: int, nonce: int, fees: Fees, gas: int, to: str | None, data: str) -> Signed:
    """The transaction that calls `to` with the data, both hexadecimal with 0x; without `to` the data makes a contract.

    Raises:
        ValueError: there is no chain: whoever signs for none signs for all.
    """
    if chain_id <= 0:
        raise ValueError("a transaction is signed for one chain")
    receiver = b"" if to is None else bytes.fromhex(to[2:])
    content: list[Item] = [chain_id, nonce, fees.tip, fees.most, gas, receiver, 0, bytes.fromhex(data[2:]), []]
    signature = key.sign_recoverable(keccak(_TYPE + encode(content)), hasher=None)
    r, s = (int.from_bytes(signature[start : start + 32], "big") for start in (0, 32))
    raw = _TYPE + encode([*content, signature[64], r, s])
    return Signed(address_of(key), nonce, raw, "0x" + keccak(raw).hex(), fees)


def address_of(key: PrivateKey) -> str:
    """The key's address, in lower case."""
    # Without the byte that says that the point is written out.
    return "0x" + keccak(key.public_key.format(compressed=False)[1:])[-20:].hex()


def made_by(sender: str, nonce: int) -> str:
    """The address of the contract that the sender's transaction with this nonce makes."""
    return "0x" + keccak(encode([bytes.fromhex(sender[2:]), nonce]))[-20:].hex()
