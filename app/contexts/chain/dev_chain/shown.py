"""Blocks, transactions and receipts, as JSON-RPC shows them."""

from collections.abc import Sequence
from typing import Any

import rlp
from eth.abc import LogAPI

from app.contexts.chain.dev_chain.evm import Built, Header, Landed
from app.contexts.chain.dev_chain.transactions import Transaction, created

Shown = dict[str, Any]


def quantity(number: int) -> str:
    """A number."""
    return hex(number)


def data(content: bytes) -> str:
    """Bytes."""
    return "0x" + content.hex()


def block(header: Header, transactions: Sequence[str]) -> Shown:
    """A block, with the hashes of its transactions."""
    return {
        "number": quantity(header.block_number),
        "hash": data(header.hash),
        "parentHash": data(header.parent_hash),
        "nonce": data(header.nonce),
        "sha3Uncles": data(header.uncles_hash),
        "logsBloom": data(header.bloom.to_bytes(256, "big")),
        "transactionsRoot": data(header.transaction_root),
        "stateRoot": data(header.state_root),
        "receiptsRoot": data(header.receipt_root),
        "miner": data(header.coinbase),
        "difficulty": "0x0",
        "extraData": data(header.extra_data),
        "size": quantity(len(rlp.encode(header))),
        "gasLimit": quantity(header.gas_limit),
        "gasUsed": quantity(header.gas_used),
        "timestamp": quantity(header.timestamp),
        "mixHash": data(header.mix_hash),
        "baseFeePerGas": quantity(header.base_fee_per_gas),
        "withdrawalsRoot": data(header.withdrawals_root),
        "withdrawals": [],
        "blobGasUsed": quantity(header.blob_gas_used),
        "excessBlobGas": quantity(header.excess_blob_gas),
        "parentBeaconBlockRoot": data(header.parent_beacon_block_root),
        "requestsHash": data(header.requests_hash),
        "transactions": list(transactions),
        "uncles": [],
    }


def transaction(one: Transaction, place: Shown | None = None, price: int | None = None) -> Shown:
    """A transaction. `place` says in which block it is, if in one, and `price` what it has paid for a unit of gas."""
    fees = {"gasPrice": quantity(one.fee if price is None else price)}
    if one.type:
        parity = quantity(one.v)
        fees |= {"maxFeePerGas": quantity(one.fee), "maxPriorityFeePerGas": quantity(one.tip), "yParity": parity}
    return {
        "hash": one.hash,
        "type": quantity(one.type),
        "chainId": quantity(one.chain_id),
        "from": one.sender,
        "to": one.to,
        "nonce": quantity(one.nonce),
        "value": quantity(one.value),
        "gas": quantity(one.gas),
        "input": data(one.data),
        "v": quantity(one.v),
        "r": quantity(one.r),
        "s": quantity(one.s),
        **({"accessList": []} if one.type else {}),
        **fees,
        **(place or {"blockHash": None, "blockNumber": None, "transactionIndex": None}),
    }


def in_block(built: Built) -> list[tuple[Shown, Shown]]:
    """The transactions of a block, each with its receipt."""
    before, found = 0, []
    for position, landed in enumerate(built.landed):
        shown = _one(built.header, position, landed, before)
        before += len(landed.receipt.logs)
        found.append(shown)
    return found


def _one(header: Header, position: int, landed: Landed, logs_before: int) -> tuple[Shown, Shown]:
    one, receipt = landed.transaction, landed.receipt
    place = {
        "blockHash": data(header.hash),
        "blockNumber": quantity(header.block_number),
        "transactionIndex": quantity(position),
    }
    price = header.base_fee_per_gas + min(one.tip, one.fee - header.base_fee_per_gas)
    whose = place | {"transactionHash": one.hash}
    logs = [_log(log, whose, logs_before + number, header.timestamp) for number, log in enumerate(receipt.logs)]
    return transaction(one, place, price), whose | {
        "type": quantity(one.type),
        "status": quantity(int.from_bytes(receipt.state_root, "big")),
        "from": one.sender,
        "to": one.to,
        "contractAddress": None if one.to else created(one.sender, one.nonce),
        "cumulativeGasUsed": quantity(receipt.gas_used),
        "gasUsed": quantity(landed.gas_used),
        "effectiveGasPrice": quantity(price),
        "logsBloom": data(receipt.bloom.to_bytes(256, "big")),
        "logs": logs,
    }


def _log(log: LogAPI, whose: Shown, number: int, timestamp: int) -> Shown:
    return whose | {
        "address": data(log.address),
        "topics": [data(topic.to_bytes(32, "big")) for topic in log.topics],
        "data": data(log.data),
        "logIndex": quantity(number),
        "blockTimestamp": quantity(timestamp),
        "removed": False,
    }
