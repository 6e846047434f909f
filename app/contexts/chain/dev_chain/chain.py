"""The chain: which blocks there are, what waits, and how another block comes about."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from app.contexts.chain.dev_chain import shown
from app.contexts.chain.dev_chain.evm import GAS_LIMIT, MOST_GAS, Built, Evm, Header
from app.contexts.chain.dev_chain.pool import Pool
from app.contexts.chain.dev_chain.store import Store
from app.contexts.chain.dev_chain.transactions import Refused, Transaction

_encode: Final = msgspec.json.encode


class Chain:
    """A chain over a store: one that is there goes on, a new one begins with a block in which nobody has anything."""

    def __init__(self, store: Store, chain_id: int, now: Callable[[], float] = time.time) -> None:
        self.chain_id = chain_id
        self.store = store
        self.evm = Evm(store.nodes, chain_id)
        self.pool = Pool()
        self._now = now
        self._marks = 0
        self._base_fee: int | None = None
        last = store.one("SELECT hash FROM blocks ORDER BY number DESC LIMIT 1")
        self.head: Header = self.evm.header(last[0]) if last else self._begin()

    def send(self, transaction: Transaction) -> None:
        """Take a transaction, to be in a block.

        Raises:
            Refused: it can be in none.
        """
        nonce, balance, _ = self.evm.account(self.head, transaction.sender)
        if transaction.chain_id != self.chain_id:
            raise Refused(f"invalid chain id for signer: have {transaction.chain_id} want {self.chain_id}")
        if transaction.gas > min(GAS_LIMIT, MOST_GAS):
            raise Refused(f"transaction gas limit too high (cap: {MOST_GAS}, tx: {transaction.gas})")
        if transaction.tip > transaction.fee:
            raise Refused("max priority fee per gas higher than max fee per gas")
        if transaction.nonce < nonce:
            raise Refused(f"nonce too low: next nonce {nonce}, tx nonce {transaction.nonce}")
        if (cost := transaction.gas * transaction.fee + transaction.value) > balance:
            raise Refused(f"insufficient funds for gas * price + value: balance {balance}, tx cost {cost}")
        if transaction.gas < transaction.least_gas:
            raise Refused(f"intrinsic gas too low: gas {transaction.gas}, minimum needed {transaction.least_gas}")
        self.pool.put(transaction)

    def mine(self, balances: Mapping[str, int] | None = None) -> None:
        """Make a block of what waits and pays enough, or an empty one."""
        nonces: dict[str, int] = {}

        def nonce_of(sender: str) -> int:
            return nonces.setdefault(sender, self.evm.account(self.head, sender)[0])

        chosen = [*self.pool.best(self.next_base_fee, GAS_LIMIT, nonce_of)]
        timestamp = max(int(self._now()), self.head.timestamp + 1)
        with self.store.written():
            built = self.evm.build(
                self.head, timestamp, chosen,
                mark=self._marks.to_bytes(4, "big").lstrip(b"\0"), base_fee=self._base_fee, balances=balances,
            )  # fmt: skip
            self._keep(built)
        self.head, self._base_fee = built.header, None
        for one, _ in built.refused:
            self.pool.drop(one)
        for sender in nonces:
            self.pool.spend(sender, self.evm.account(self.head, sender)[0])

    @property
    def has_more(self) -> bool:
        """Whether something waits that a block would take now."""
        best = self.pool.best(self.next_base_fee, GAS_LIMIT, lambda sender: self.evm.account(self.head, sender)[0])
        return next(best, None) is not None

    @property
    def next_base_fee(self) -> int:
        """What the next block asks for a unit of gas."""
        return self._base_fee if self._base_fee is not None else self.evm.next_base_fee(self.head)

    def ask_for(self, base_fee: int) -> None:
        """Have the next block ask for so much, in wei."""
        self._base_fee = base_fee

    def reorganise(self, depth: int) -> None:
        """Put as many empty blocks in the place of the last ones. What was in those is in no block, and waits in none.

        Raises:
            Refused: there are not so many.
        """
        number = self.head.block_number - depth
        kept = self.store.one("SELECT hash FROM blocks WHERE number = ?", number)
        if depth < 1 or kept is None:
            raise Refused(f"there are no {depth} blocks to replace")
        self._marks = int(self._now() * 1000) & 0xFFFFFFFF  # none of them is one that there was
        self.pool.forget()
        with self.store.written():
            for table in ("blocks", "transactions", "logs"):
                self.store.write(f"DELETE FROM {table} WHERE number > ?", [(number,)])  # noqa: S608
        self.head = self.evm.header(kept[0])
        for _ in range(depth):
            self.mine()

    def block_at(self, number: int) -> Header | None:
        """The header of the block with this number."""
        row = self.store.one("SELECT hash FROM blocks WHERE number = ?", number)
        return self.evm.header(row[0]) if row else None

    def _begin(self) -> Header:
        with self.store.written():
            genesis = self.evm.genesis(int(self._now()))
            self._keep(Built(genesis, (), ()))
        return genesis

    def _keep(self, built: Built) -> None:
        number, places = built.header.block_number, shown.in_block(built)
        hashes = [one.transaction.hash for one in built.landed]
        block = shown.block(built.header, hashes)
        self.store.write("INSERT INTO blocks VALUES (?, ?, ?)", [(number, block["hash"], _encode(block))])
        self.store.write(
            "INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?)",
            [
                (one.transaction.hash, number, position, one.transaction.raw, *map(_encode, places[position]))
                for position, one in enumerate(built.landed)
            ],
        )
        logs = [log for _, receipt in places for log in receipt["logs"]]
        self.store.write(
            "INSERT INTO logs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (number, position, log["address"], *_four(log["topics"]), _encode(log))
                for position, log in enumerate(logs)
            ],
        )


def _four(topics: Sequence[str]) -> tuple[str | None, ...]:
    return (*topics, None, None, None, None)[:4]
