"""The EVM of py-evm, at the rules of Prague: it makes blocks, and runs calls on the state after one."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias, cast

import rlp
from eth.abc import (
    ComputationAPI,
    ReceiptAPI,
    SignedTransactionAPI,
    UnsignedTransactionAPI,
    VirtualMachineAPI,
)
from eth.consensus.context import ConsensusContext
from eth.constants import CREATE_CONTRACT_ADDRESS, ZERO_ADDRESS
from eth.db.chain import ChainDB
from eth.exceptions import Revert
from eth.vm.chain_context import ChainContext
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.blocks import PragueBlockHeader
from eth.vm.spoof import SpoofTransaction
from eth_typing import Address, BlockNumber, Hash32
from eth_utils.exceptions import ValidationError

from app.contexts.chain.dev_chain.store import Nodes
from app.contexts.chain.dev_chain.transactions import Transaction, decoded

GAS_LIMIT: Final = 30_000_000
"""Of a block."""
MOST_GAS: Final = 1 << 24
"""Of a transaction (EIP-7825)."""
FIRST_BASE_FEE: Final = 1_000_000_000


Header: TypeAlias = Any
"""A header of Prague's: the library's types know only what those of every fork have."""


class Landed(NamedTuple):
    """A transaction in a block, and what came of it."""

    transaction: Transaction
    receipt: ReceiptAPI
    gas_used: int


class Built(NamedTuple):
    """A block, and the transactions that could not be in it, with the reason."""

    header: Header
    landed: Sequence[Landed]
    refused: Sequence[tuple[Transaction, str]]


class Outcome(NamedTuple):
    """What a call came to. Without an error the output is what was answered, with one the reason as it was given."""

    output: bytes
    error: str | None
    gas_used: int
    """Before anything was given back for it."""


class Evm:
    """Blocks and states over a store."""

    def __init__(self, nodes: Nodes, chain_id: int) -> None:
        self._nodes = nodes
        self._chaindb = ChainDB(nodes)
        self._context = ChainContext(chain_id)
        self._consensus = ConsensusContext(nodes)

    def genesis(self, timestamp: int) -> Header:
        """The first block: nobody has anything."""
        header = PragueBlockHeader(
            0, BlockNumber(0), GAS_LIMIT, timestamp, nonce=bytes(8), base_fee_per_gas=FIRST_BASE_FEE
        )
        self._keep(header)
        return header

    def header(self, block_hash: str) -> Header:
        """The header of a block that was built, or of the first."""
        return self._chaindb.get_block_header_by_hash(Hash32(bytes.fromhex(block_hash[2:])))

    def next_base_fee(self, parent: Header) -> int:
        """What the block after it asks for a unit of gas."""
        return int(PragueVM.create_header_from_parent(parent, gas_limit=GAS_LIMIT).base_fee_per_gas)

    def build(
        self,
        parent: Header,
        timestamp: int,
        transactions: Sequence[Transaction],
        *,
        mark: bytes,
        base_fee: int | None = None,
        balances: Mapping[str, int] | None = None,
    ) -> Built:
        """The block after `parent`, written. `mark` tells it from others like it; balances are set before it."""
        start = PragueVM.create_header_from_parent(
            parent, timestamp=timestamp, gas_limit=GAS_LIMIT, coinbase=ZERO_ADDRESS, extra_data=mark
        )
        if base_fee is not None:
            start = start.copy(base_fee_per_gas=base_fee)
        vm = self._vm(start)
        for address, balance in (balances or {}).items():
            vm.state.set_balance(_bytes(address), balance)
        header, landed, refused = _applied(vm, start, transactions)
        signed = [decoded(one.transaction.raw) for one in landed]
        filled = vm.set_block_transactions_and_withdrawals(
            vm.get_block(), header, signed, [one.receipt for one in landed]
        )
        # Not `mine_block`: it takes no base fee that was asked for.
        final: Header = vm.finalize_block(vm.pack_block(filled)).block.header
        self._keep(final)
        return Built(final, landed, refused)

    def account(self, header: Header, address: str) -> tuple[int, int, bytes]:
        """The nonce, balance and code of an account after this block."""
        state, name = self._vm(header).state, _bytes(address)
        return state.get_nonce(name), state.get_balance(name), state.get_code(name)

    def storage(self, header: Header, address: str, slot: int) -> int:
        """A word of a contract's storage."""
        return self._vm(header).state.get_storage(_bytes(address), slot)

    def run(
        self, header: Header, sender: str, to: str | None, data: bytes, value: int = 0, gas: int = GAS_LIMIT
    ) -> Outcome:
        """Run a call after this block. It costs nothing, and nothing is kept of it."""
        vm = self._vm(header)
        with vm.in_costless_state() as state:
            unsigned = vm.create_unsigned_transaction(
                nonce=state.get_nonce(_bytes(sender)), gas_price=0, gas=gas, value=value, data=data,
                to=_bytes(to) if to else CREATE_CONTRACT_ADDRESS,
            )  # fmt: skip
            try:
                computation = state.apply_transaction(_spoofed(unsigned, sender))
            except ValidationError as error:
                return Outcome(b"", str(error), 0)
            return _outcome(computation, gas)

    def _vm(self, header: Header) -> VirtualMachineAPI:
        return PragueVM(header, self._chaindb, self._context, self._consensus)

    def _keep(self, header: Header) -> None:
        self._nodes[header.hash] = rlp.encode(header)


def _applied(
    vm: VirtualMachineAPI, header: Header, transactions: Sequence[Transaction]
) -> tuple[Header, list[Landed], list[tuple[Transaction, str]]]:
    landed, refused = list[Landed](), list[tuple[Transaction, str]]()
    for one in transactions:
        try:
            receipt, _ = vm.apply_transaction(header, decoded(one.raw))
        except ValidationError as error:
            refused.append((one, str(error)))
            continue
        landed.append(Landed(one, receipt, receipt.gas_used - header.gas_used))
        header = vm.add_receipt_to_header(header, receipt)
    return header, landed, refused


def _outcome(computation: ComputationAPI, gas: int) -> Outcome:
    used = gas - computation.get_gas_remaining()
    if not computation.is_error:
        return Outcome(computation.output, None, used)
    if isinstance(computation.error, Revert):
        return Outcome(computation.output, "execution reverted", used)
    return Outcome(b"", str(computation.error) or type(computation.error).__name__, used)


def _spoofed(unsigned: UnsignedTransactionAPI, sender: str) -> SignedTransactionAPI:
    return cast("SignedTransactionAPI", SpoofTransaction(unsigned, from_=_bytes(sender)))


def _bytes(address: str) -> Address:
    return Address(bytes.fromhex(address[2:]))
