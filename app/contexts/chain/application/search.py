"""Search: a contract that refuses what it knows has an event of it, from long ago perhaps."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from app.contexts.chain.application.ports import Head
from app.contexts.chain.domain.refusals import ChainAway
from app.contexts.chain.domain.transactions import Minted

PIECE: Final = 2_000
AT_ONCE: Final = 10
"""Pieces, of so many blocks, that are looked through in a round: nothing else waits for more."""
AGAIN_S: Final = 30.0
"""Until it is tried again where the node does not tell of old blocks."""


class Searching(Protocol):
    """A node, as what searches sees it. All of it raises ChainAway when there is no answer."""

    async def known(self, requests: Sequence[UUID], block: int) -> Sequence[bool]:
        """Whether the contract, as it is at the block, has minted for each of these requests."""
        ...

    async def minted_for(self, requests: Sequence[UUID], first: int, last: int) -> Sequence[Minted]:
        """The events of these requests, wherever in the blocks they are."""
        ...


class Told(Protocol):
    """What is told of searching."""

    def not_found(self, requests: Sequence[UUID], below: int) -> None:
        """The contract knows the requests, and nobody tells of their events: not in that block, nor in older ones."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """Events, and the requests that the contract does not know: there are none of these."""

    events: Sequence[Minted] = ()
    unknown: Sequence[UUID] = ()


class Search:
    """The use case: from the newest block downwards, a few pieces a round. A node that has thrown old events away holds
    up nobody but those it does not tell of."""

    def __init__(self, node: Searching, told: Told) -> None:
        self._node = node
        self._told = told
        self._below: dict[UUID, int] = {}
        """In which block and above there is nothing."""
        self._not_before = 0.0

    async def __call__(self, requests: Sequence[UUID], first: int, head: Head) -> Found:
        """What there is of them in the blocks from the first on; nothing yet where it takes longer, or where the
        contract does not say whether it knows them."""
        self._below = {each: self._below.get(each, head.block + 1) for each in requests}
        if not requests:
            return Found()
        try:
            are_known = await self._node.known(requests, head.block)
        except ChainAway:
            return Found()
        known = [each for each, is_known in zip(requests, are_known, strict=True) if is_known]
        unknown = [each for each in requests if each not in known]
        if not known or asyncio.get_running_loop().time() < self._not_before:
            return Found((), unknown)
        return Found(await self._look(known, first), unknown)

    async def _look(self, known: Sequence[UUID], first: int) -> Sequence[Minted]:
        """Those first that nobody has looked for yet: most are not old."""
        below = max(self._below[each] for each in known)
        requests = [each for each in known if self._below[each] == below]
        for _ in range(AT_ONCE):
            start = max(below - PIECE, first)
            try:
                found = await self._node.minted_for(requests, start, below - 1) if start < below else ()
            except ChainAway:
                self._give_up(requests, below)
                return ()
            if found:
                return found
            if start <= first:
                self._give_up(requests, first)
                for each in requests:  # from the newest on, when it is tried again
                    del self._below[each]
                return ()
            self._below |= dict.fromkeys(requests, start)
            below = start
        return ()

    def _give_up(self, requests: Sequence[UUID], below: int) -> None:
        self._not_before = asyncio.get_running_loop().time() + AGAIN_S
        self._told.not_found(requests, below)
