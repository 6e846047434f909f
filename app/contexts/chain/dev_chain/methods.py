"""What the node answers about its chain: `eth_`, `net_` and `web3_` methods, as far as somebody has a use for them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from app.contexts.chain.dev_chain import params as read
from app.contexts.chain.dev_chain import shown
from app.contexts.chain.dev_chain.chain import Chain
from app.contexts.chain.dev_chain.evm import MOST_GAS, Header, Outcome
from app.contexts.chain.dev_chain.logs import find
from app.contexts.chain.dev_chain.transactions import Refused
from app.contexts.chain.dev_chain.transactions import read as read_transaction

Method = Callable[[Sequence[Any]], Any]

_LATEST: Final = ("latest", "pending", "safe", "finalized")
TIP: Final = 1_000_000_000
"""What is proposed on top of the base fee, in wei."""
_REASON: Final = bytes.fromhex("08c379a0")


class Reverted(Exception):  # noqa: N818 -- an answer, not a fault
    """A contract has refused a call, and said this."""

    def __init__(self, output: bytes) -> None:
        super().__init__(f"execution reverted{_told(output)}")
        self.output = output


class Methods:
    """The methods, by their names."""

    def __init__(self, chain: Chain, sent: Callable[[], None]) -> None:
        """`sent` is called when a transaction was taken."""
        self._chain, self._sent = chain, sent
        self.by_name: Mapping[str, Method] = {
            "web3_clientVersion": lambda _: "strongbox-dev-chain/1",
            "net_version": lambda _: str(chain.chain_id),
            "eth_chainId": lambda _: shown.quantity(chain.chain_id),
            "eth_syncing": lambda _: False,
            "eth_accounts": lambda _: [],
            "eth_blockNumber": lambda _: shown.quantity(chain.head.block_number),
            "eth_gasPrice": lambda _: shown.quantity(chain.next_base_fee + TIP),
            "eth_maxPriorityFeePerGas": lambda _: shown.quantity(TIP),
            "eth_feeHistory": self._fee_history,
            "eth_getBalance": lambda params: shown.quantity(self._account(params)[1]),
            "eth_getCode": lambda params: shown.data(self._account(params)[2]),
            "eth_getStorageAt": self._storage,
            "eth_getTransactionCount": self._count,
            "eth_getBlockByNumber": self._block_by_number,
            "eth_getBlockByHash": self._block_by_hash,
            "eth_getTransactionByHash": self._transaction,
            "eth_getTransactionReceipt": self._receipt,
            "eth_getRawTransactionByHash": self._raw,
            "eth_getLogs": lambda params: find(chain, read.fields(read.at(params, 0), "the filter"), self._number),
            "eth_sendRawTransaction": self._send,
            "eth_call": self._call,
            "eth_estimateGas": self._estimate,
        }

    def _number(self, tag: Any) -> int:
        if tag in _LATEST:
            return int(self._chain.head.block_number)
        return 0 if tag == "earliest" else read.quantity(tag, "the block")

    def _header(self, params: Sequence[Any], position: int) -> Header:
        header = self._chain.block_at(self._number(read.at(params, position, "latest")))
        if header is None:
            raise Refused("header not found")
        return header

    def _account(self, params: Sequence[Any]) -> tuple[int, int, bytes]:
        return self._chain.evm.account(self._header(params, 1), read.address(read.at(params, 0)))

    def _storage(self, params: Sequence[Any]) -> str:
        slot = read.quantity(read.at(params, 1), "the slot")
        value = self._chain.evm.storage(self._header(params, 2), read.address(read.at(params, 0)), slot)
        return shown.data(value.to_bytes(32, "big"))

    def _count(self, params: Sequence[Any]) -> str:
        address, nonce = read.address(read.at(params, 0)), self._account(params)[0]
        pending = read.at(params, 1) == "pending"
        return shown.quantity(self._chain.pool.following(address, nonce) if pending else nonce)

    def _block_by_number(self, params: Sequence[Any]) -> Any:
        number = self._number(read.at(params, 0, "latest"))
        return self._block("SELECT number, shown FROM blocks WHERE number = ?", number, bool(read.at(params, 1)))

    def _block_by_hash(self, params: Sequence[Any]) -> Any:
        name = read.hash_of(read.at(params, 0), "the hash")
        return self._block("SELECT number, shown FROM blocks WHERE hash = ?", name, bool(read.at(params, 1)))

    def _block(self, query: str, value: object, whole: bool) -> Any:
        row = self._chain.store.one(query, value)
        if row is None:
            return None
        if not whole:
            return msgspec.Raw(row[1])
        query = "SELECT shown FROM transactions WHERE number = ? ORDER BY position"
        inside = [msgspec.Raw(each) for (each,) in self._chain.store.rows(query, [row[0]])]
        return msgspec.json.decode(row[1]) | {"transactions": inside}

    def _transaction(self, params: Sequence[Any]) -> Any:
        name = read.hash_of(read.at(params, 0), "the hash")
        if row := self._chain.store.one("SELECT shown FROM transactions WHERE hash = ?", name):
            return msgspec.Raw(row[0])
        waiting = self._chain.pool.get(name)
        return shown.transaction(waiting) if waiting else None

    def _receipt(self, params: Sequence[Any]) -> Any:
        name = read.hash_of(read.at(params, 0), "the hash")
        row = self._chain.store.one("SELECT receipt FROM transactions WHERE hash = ?", name)
        return msgspec.Raw(row[0]) if row else None

    def _raw(self, params: Sequence[Any]) -> Any:
        name = read.hash_of(read.at(params, 0), "the hash")
        if row := self._chain.store.one("SELECT raw FROM transactions WHERE hash = ?", name):
            return shown.data(row[0])
        waiting = self._chain.pool.get(name)
        return shown.data(waiting.raw) if waiting else None

    def _fee_history(self, params: Sequence[Any]) -> Any:
        newest = min(self._number(read.at(params, 1, "latest")), self._chain.head.block_number)
        count = min(read.quantity(read.at(params, 0), "the count"), 1024, newest + 1)
        headers = [self._chain.block_at(number) for number in range(newest - count + 1, newest + 1)]
        found = [header for header in headers if header is not None]
        following = self._chain.evm.next_base_fee(found[-1]) if newest < self._chain.head.block_number and found else (
            self._chain.next_base_fee
        )  # fmt: skip
        answer = {
            "oldestBlock": shown.quantity(newest - count + 1),
            "baseFeePerGas": [shown.quantity(fee) for fee in (*(one.base_fee_per_gas for one in found), following)],
            "gasUsedRatio": [one.gas_used / one.gas_limit for one in found],
        }
        percentiles = read.at(params, 2, [])
        return (
            answer | {"reward": [[shown.quantity(TIP) for _ in percentiles] for _ in found]} if percentiles else answer
        )

    def _send(self, params: Sequence[Any]) -> str:
        transaction = read_transaction(read.content(read.at(params, 0), "the transaction"))
        self._chain.send(transaction)
        self._sent()
        return transaction.hash

    def _call(self, params: Sequence[Any]) -> str:
        outcome = self._run(self._header(params, 1), read.fields(read.at(params, 0), "the call"), None)
        return shown.data(_succeeded(outcome).output)

    def _estimate(self, params: Sequence[Any]) -> str:
        header, call = self._header(params, 1), read.fields(read.at(params, 0), "the call")
        most = self._affordable(header, call)
        used = _succeeded(self._run(header, call, most)).gas_used
        enough, too_little = most, used - 1
        while enough - too_little > max(1, enough // 64):
            tried = used if enough == most else (enough + too_little) // 2
            if self._run(header, call, tried).error is None:
                enough = tried
            else:
                too_little = tried
        return shown.quantity(enough)

    def _affordable(self, header: Header, call: Mapping[str, Any]) -> int:
        """The gas that a transaction like this may have, and its sender can pay for."""
        most = min(MOST_GAS, read.quantity(call.get("gas", MOST_GAS), "gas"))
        price = read.quantity(call.get("maxFeePerGas", call.get("gasPrice", 0)), "maxFeePerGas")
        if price == 0:
            return most
        balance = self._chain.evm.account(header, read.address(call.get("from"), "from"))[1]
        left = balance - read.quantity(call.get("value", 0), "value")
        if left < 0:
            raise Refused("insufficient funds for transfer")
        if left // price < 21_000:
            raise Refused(f"gas required exceeds allowance ({left // price})")
        return min(most, left // price)

    def _run(self, header: Header, call: Mapping[str, Any], gas: int | None) -> Outcome:
        to = call.get("to")
        return self._chain.evm.run(
            header,
            read.address(call.get("from", "0x" + "00" * 20), "from"),
            read.address(to, "to") if to is not None else None,
            read.content(call.get("input", call.get("data", "0x")), "data"),
            read.quantity(call.get("value", 0), "value"),
            gas or min(MOST_GAS, read.quantity(call.get("gas", MOST_GAS), "gas")),
        )


def _succeeded(outcome: Outcome) -> Outcome:
    if outcome.error == "execution reverted":
        raise Reverted(outcome.output)
    if outcome.error is not None:
        raise Refused(outcome.error)
    return outcome


def _told(output: bytes) -> str:
    """The reason, as it stands after the words."""
    if output[:4] != _REASON or len(output) < 68:
        return ""
    length = int.from_bytes(output[36:68], "big")
    return f": {output[68 : 68 + length].decode('utf-8', 'replace')}"
