"""Signed transactions as they are sent: those with a fee market (EIP-1559), and the old ones with a chain's id."""

from typing import Any, Final, NamedTuple

import rlp
from eth.abc import SignedTransactionAPI
from eth.exceptions import UnrecognizedTransactionType
from eth.vm.forks.prague import PragueVM
from eth_keys.exceptions import BadSignature
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError

_DYNAMIC: Final = 2
_DECODE: Final = PragueVM.get_transaction_builder().decode
_BROKEN: Final = (
    rlp.exceptions.RLPException,
    UnrecognizedTransactionType,
    ValidationError,
    BadSignature,
    ValueError,
    TypeError,
)


class Refused(Exception):  # noqa: N818 -- an answer, not a fault
    """The node does not take it; the message says why."""


class Transaction(NamedTuple):
    """A transaction whose signature holds. Amounts are in wei, addresses in lower case."""

    raw: bytes
    hash: str
    type: int
    chain_id: int
    sender: str
    nonce: int
    tip: int
    """The most that is paid for a unit of gas on top of the base fee."""
    fee: int
    """The most that is paid for a unit of gas."""
    gas: int
    least_gas: int
    """What it takes whatever it does."""
    to: str | None
    """None: it makes a contract."""
    value: int
    data: bytes
    v: int
    r: int
    s: int


def decoded(raw: bytes) -> SignedTransactionAPI:
    """The transaction as the EVM takes it."""
    return _DECODE(raw)


def created(sender: str, nonce: int) -> str:
    """The address of the contract that this transaction of the sender's makes."""
    numbers = [bytes.fromhex(sender[2:]), rlp.sedes.big_endian_int.serialize(nonce)]
    return "0x" + keccak(rlp.encode(numbers))[12:].hex()


def read(raw: bytes) -> Transaction:
    """Take the bytes for what they are.

    Raises:
        Refused: they are no transaction of these kinds, or its signature is none.
    """
    kind = 0 if raw[:1] >= b"\xc0" else int.from_bytes(raw[:1], "big")
    if kind not in (0, _DYNAMIC):
        raise Refused("transaction type not supported")
    try:
        signed: Any = decoded(raw)  # the library's types leave out what only some kinds have
        signed.validate()
        sender = signed.sender
    except _BROKEN as error:
        raise Refused(f"failed to decode signed transaction: {error}") from None
    if signed.chain_id is None:
        raise Refused("only replay-protected (EIP-155) transactions allowed over RPC")
    if signed.encode() != raw:
        raise Refused("failed to decode signed transaction: not its one encoding")
    return Transaction(
        raw, "0x" + signed.hash.hex(), kind, signed.chain_id, "0x" + sender.hex(), signed.nonce,
        signed.max_priority_fee_per_gas, signed.max_fee_per_gas, signed.gas, signed.intrinsic_gas,
        "0x" + signed.to.hex() if signed.to else None, signed.value, signed.data,
        signed.y_parity if kind else signed.v, signed.r, signed.s,
    )  # fmt: skip
