"""Send what was signed and committed, and note what a node took."""

from collections.abc import Sequence
from typing import Protocol

from app.contexts.chain.application.ports import Sending, Sent
from app.contexts.chain.domain.transactions import Signed


class Broadcasts(Protocol):
    """What was signed, as what sends it sees it."""

    async def taken(self, transactions: Sequence[Signed]) -> None:
        """A node took these."""
        ...


class Broadcast:
    """The use case, for a batch, sent in the order of nonces. The same bytes may be sent any number of times."""

    def __init__(self, broadcasts: Broadcasts, node: Sending) -> None:
        self._broadcasts = broadcasts
        self._node = node

    async def __call__(self, transactions: Sequence[Signed]) -> Sequence[Sent]:
        """What became of each."""
        in_order = sorted(set(transactions), key=lambda each: (each.sender, each.nonce))
        outcomes = await self._node.send([each.raw for each in in_order])
        became = dict(zip(in_order, outcomes, strict=True))
        if taken := [each for each, sent in became.items() if sent is Sent.TAKEN]:
            await self._broadcasts.taken(taken)
        return [became[each] for each in transactions]
