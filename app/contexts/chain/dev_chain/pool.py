"""Transactions that wait for a block, and which of them a node takes: by the rules of Geth, and in its words."""

import heapq
from collections.abc import Callable, Iterator
from typing import Final

from app.contexts.chain.dev_chain.transactions import Refused, Transaction

_BUMP_PERCENT: Final = 10
"""By so much a replacement pays more, in both fees."""
_MOST: Final = 10_000


class Pool:
    """What waits, of each sender by its nonces. Nothing of it is kept on disk: a node that ends forgets it."""

    def __init__(self) -> None:
        self._of: dict[str, dict[int, Transaction]] = {}
        self._by_hash: dict[str, Transaction] = {}

    def __len__(self) -> int:
        return len(self._by_hash)

    def get(self, tx_hash: str) -> Transaction | None:
        """What waits under this hash."""
        return self._by_hash.get(tx_hash)

    def put(self, transaction: Transaction) -> None:
        """Have it wait, in the place of the one with its nonce.

        Raises:
            Refused: it waits already, or does not pay enough more than the one with its nonce; or there is no room.
        """
        if transaction.hash in self._by_hash:
            raise Refused("already known")
        waiting = self._of.setdefault(transaction.sender, {})
        before = waiting.get(transaction.nonce)
        if before and not (_is_more(transaction.fee, before.fee) and _is_more(transaction.tip, before.tip)):
            raise Refused("replacement transaction underpriced")
        if not before and len(self) >= _MOST:
            raise Refused("txpool is full")
        if before:
            del self._by_hash[before.hash]
        waiting[transaction.nonce] = self._by_hash[transaction.hash] = transaction

    def drop(self, transaction: Transaction) -> None:
        """Forget it, if it still waits."""
        if self._by_hash.pop(transaction.hash, None):
            del self._of[transaction.sender][transaction.nonce]

    def forget(self) -> None:
        """Forget all that waits."""
        self._of.clear()
        self._by_hash.clear()

    def spend(self, sender: str, nonce: int) -> None:
        """Forget what the sender has sent below this nonce: it can be in no block any more."""
        for each in [one for one in self._of.get(sender, {}).values() if one.nonce < nonce]:
            self.drop(each)

    def following(self, sender: str, nonce: int) -> int:
        """The first nonce from this one on under which nothing waits."""
        waiting = self._of.get(sender, {})
        while nonce in waiting:
            nonce += 1
        return nonce

    def best(self, base_fee: int, gas: int, nonce_of: Callable[[str], int]) -> Iterator[Transaction]:
        """What a block takes at this base fee: who pays most first, each sender's in order, within so much gas."""
        senders = [(sender, nonce_of(sender)) for sender, waiting in self._of.items() if waiting]
        queue = list[tuple[int, str, int]]()
        for sender, nonce in senders:
            self._offer(queue, sender, nonce, base_fee)
        while queue:
            _, sender, nonce = heapq.heappop(queue)
            transaction = self._of[sender][nonce]
            if transaction.gas > gas:
                continue
            gas -= transaction.gas
            yield transaction
            self._offer(queue, sender, nonce + 1, base_fee)

    def _offer(self, queue: list[tuple[int, str, int]], sender: str, nonce: int, base_fee: int) -> None:
        transaction = self._of[sender].get(nonce)
        if transaction and transaction.fee >= base_fee:
            heapq.heappush(queue, (-min(transaction.tip, transaction.fee - base_fee), sender, nonce))


def _is_more(now: int, before: int) -> bool:
    return now * 100 >= before * (100 + _BUMP_PERCENT)
