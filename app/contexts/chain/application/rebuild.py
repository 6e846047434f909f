"""Rebuild: what is kept is lost, and the contract's events have it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.contexts.chain.application.ports import Contract, Head
from app.contexts.chain.domain.refusals import CannotDeploy
from app.contexts.chain.domain.transactions import Minted


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many mints the contract has told of, how many of these were not kept, and the key's next nonce."""

    told: int
    restored: int
    next_nonce: int


class Restoring(Protocol):
    """What is kept, as it is restored."""

    async def restore(self, contract: Contract, events: Sequence[Minted]) -> int:
        """Keep those that are not, as CONFIRMED; how many these were.

        Raises:
            ChainAway: what is kept is of another chain or contract.
        """
        ...

    async def restore_nonce(self, contract: Contract, sender: str, pending: int) -> int:
        """Have the key go on from there at the least; its next nonce.

        Raises:
            ChainAway: what is kept is of another chain or contract.
        """
        ...


class Telling(Protocol):
    """A node, as what asks for everything sees it. All of it raises ChainAway when there is no answer."""

    async def look(self, sender: str) -> Head:
        """The newest block."""
        ...

    async def are_ours(self, addresses: Sequence[str], minter: str | None) -> Sequence[bool]:
        """At which addresses there is a contract like ours: one that the minter mints on, where it is said who."""
        ...

    async def pending(self, sender: str) -> int:
        """The key's next nonce, as the node sees it with all that waits there, where it tells of that."""
        ...

    async def events(self, first: int, last: int) -> Sequence[Minted]:
        """The contract's events in these blocks."""
        ...


class Rebuild:
    """The use case. What is there stays; again is the same again. Of blocks that are not deep yet the follower tells,
    once whoever asked for a mint asks again."""

    def __init__(self, kept: Restoring, node: Telling, sender: str, chain_id: int, address: str, deep: int) -> None:
        self._kept = kept
        self._node = node
        self._sender = sender
        self._chain_id = chain_id
        self._address = address
        self._confirmations = deep

    async def __call__(self, first_block: int = 0, blocks: int = 10_000) -> Rebuilt:
        """Rebuild, so many blocks at a time. There are no events before the first block.

        Raises:
            CannotDeploy: there is no contract.
            ChainAway: the node does not answer, or its chain is another; or what is kept is of another.
        """
        head = await self._node.look(self._sender)
        if not (await self._node.are_ours([self._address], None))[0]:
            raise CannotDeploy("there is no such contract at CHAIN_CONTRACT")
        deep = head.block - self._confirmations + 1
        contract = Contract(self._chain_id, self._address, first_block, head.block)
        # Nonces first: what is signed from now on has none that was spent. A node that is behind may tell of fewer as
        # pending than are spent.
        pending = max(await self._node.pending(self._sender), head.spent[self._sender])
        next_nonce = await self._kept.restore_nonce(contract, self._sender, pending)
        told = restored = 0
        for first in range(first_block, max(deep, first_block) + 1, blocks):
            events = await self._node.events(first, min(first + blocks - 1, deep)) if deep >= first else ()
            told += len(events)
            restored += await self._kept.restore(contract, events)
        return Rebuilt(told, restored, next_nonce)
