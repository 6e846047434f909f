"""Follow the chain: what it says of the mints that are not final, round after round."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from app.contexts.chain.application.ports import Contract, Head, Kept, Watching
from app.contexts.chain.application.search import Search
from app.contexts.chain.domain.following import NOT_DEEP, of_event, of_receipts, without_event
from app.contexts.chain.domain.refusals import ChainAway
from app.contexts.chain.domain.transactions import Change, Minted, OpenMint, Receipt

MOST_SEARCHED: Final = 100
"""Mints that are looked for one by one in a round; there are few, unless a stranger has the key."""
BEHIND: Final = 5_000
"""Blocks, all of them deep, that are gone through by themselves, and noted, where there are so many new ones."""
MOST_BEHIND: Final = 20
"""Times as many are gone through in a round."""
SETTLED_EVERY: Final = 1_000
"""Blocks after which it is noted, where nothing is open, that nothing was to be noted up to there."""


@dataclass(frozen=True, slots=True)
class Round:
    """What a round has seen."""

    head: Head
    open: Sequence[OpenMint] = ()
    changes: Sequence[Change] = ()
    foreign: Sequence[OpenMint] = ()
    """Mints whose nonce is spent, and by none of their transactions."""


class Follow:
    """The use case. An event counts where it lies in the chain of the newest block that was seen before and behind."""

    def __init__(self, kept: Kept, node: Watching, search: Search, confirmations: int) -> None:
        self._kept = kept
        self._node = node
        self._search = search
        self._confirmations = confirmations
        self._seen: tuple[int, str, Sequence[Minted]] | None = None

    async def __call__(self, own: str) -> Round:
        """A round. `own` is the key that we have: how many of its nonces are spent is wanted in any case.

        Raises:
            ChainAway: the node does not answer, or there is no contract yet, or another than ours.
            Unavailable: the database takes no work.
        """
        contract, senders = await self._kept.contract()
        head = await self._node.head([*dict.fromkeys((own, *senders))])
        deep = head.block - self._confirmations + 1
        # Behind the head, as what was signed is committed before it is sent: what is not there now has no event so far.
        if not (await self._kept.contract())[1]:
            if deep >= contract.settled_block + SETTLED_EVERY:
                await self._kept.note((), deep)
            return Round(head)
        contract, changes = await self._catch_up(contract, head, deep)
        first = max(contract.settled_block + 1, contract.first_block)
        events = await self._events(first, head) if deep - first < BEHIND else None
        if events is None:
            return Round(head, (), changes)
        mints = await self._kept.open([event.order.request_id for event in events])
        seen = await self._judge(contract, head, events, mints)
        return replace(seen, changes=[*changes, *seen.changes])

    async def _catch_up(self, contract: Contract, head: Head, deep: int) -> tuple[Contract, Sequence[Change]]:
        """After a long absence: go through what lies deep, a part at a time, and note each: a node that fails at the
        end is not asked for all of it anew. The contract as it is noted then, and what changed."""
        changes: list[Change] = []
        for _ in range(MOST_BEHIND):
            first = max(contract.settled_block + 1, contract.first_block)
            last = first + BEHIND - 1
            if last > deep:
                break
            events = await self._node.minted(first, last, head)
            if events is None:
                break
            said = {event.order.request_id: event for event in events}
            mints = await self._kept.open([*said]) if said else ()
            found = [of_event(mint, said[id_], deep) for mint in mints if (id_ := mint.order.request_id) in said]
            new = [change for change in found if change]
            await self._kept.note(new, last)
            changes += new
            contract = replace(contract, settled_block=last)
        return contract, changes

    async def _events(self, first: int, head: Head) -> Sequence[Minted] | None:
        """Those up to the head; None if that is no longer the chain's. A head that was there before has no others."""
        if first > head.block:
            return ()
        if self._seen is None or self._seen[:2] != (first, head.block_hash):
            events = await self._node.minted(first, head.block, head)
            self._seen = None if events is None else (first, head.block_hash, events)
        return self._seen and self._seen[2]

    async def _judge(
        self, contract: Contract, head: Head, events: Sequence[Minted], mints: Sequence[OpenMint]
    ) -> Round:
        deep = head.block - self._confirmations + 1
        said = {event.order.request_id: event for event in events}
        found, spent = [], []
        for mint in mints:
            nonces = head.spent.get(mint.signed.sender, 0)
            if event := said.get(mint.order.request_id):
                found.append(of_event(mint, event, deep))
            elif change := without_event(mint, nonces):
                found.append(change)
            elif mint.signed.nonce < nonces:
                spent.append(mint)
        searched, foreign = await self._look_for(spent[:MOST_SEARCHED], contract, head, deep)
        changes = [change for change in (*found, *searched) if change]
        if changes or deep > contract.settled_block:
            await self._kept.note(changes, max(deep, contract.settled_block))
        return Round(head, mints, changes, foreign)

    async def _look_for(
        self, mints: Sequence[OpenMint], contract: Contract, head: Head, deep: int
    ) -> tuple[Sequence[Change | None], Sequence[OpenMint]]:
        """What there is to know of mints whose nonce is spent, and whose event is in no new block; and those of them
        none of whose transactions is in a block."""
        if not mints:
            return (), ()
        receipts = await self._node.receipts([each for mint in mints for each in mint.hashes])
        landed = {mint: [receipts[each] for each in mint.hashes if each in receipts] for mint in mints}
        said = await self._said(landed)
        refused = [
            mint.order.request_id
            for mint in mints
            if mint.order.request_id not in said and _is_refused(landed[mint], deep)
        ]
        searched = await self._search(refused, contract.first_block, head)
        said |= {event.order.request_id: event for event in searched.events}
        found = []
        for mint in mints:
            if event := said.get(mint.order.request_id):
                found.append(of_event(mint, event, deep))
            elif mint.order.request_id in refused and mint.order.request_id not in searched.unknown:
                found.append(of_receipts(mint, landed[mint], NOT_DEEP))  # nobody has found yet what the contract knows
            else:
                found.append(of_receipts(mint, landed[mint], deep))
        return found, [mint for mint in mints if not landed[mint]]

    async def _said(self, landed: Mapping[OpenMint, Sequence[Receipt]]) -> dict[UUID, Minted]:
        """The events of those that succeeded: they are in the same blocks. Where the node does not tell of one, nobody
        else is held up by that."""
        done = {mint: each.landing.block for mint, receipts in landed.items() for each in receipts if each.succeeded}
        events = list[Minted]()
        for block in sorted(set(done.values())):
            ids = [mint.order.request_id for mint, its in done.items() if its == block]
            with suppress(ChainAway):
                events += await self._node.minted_for(ids, block, block)
        return {event.order.request_id: event for event in events}


def _is_refused(receipts: Sequence[Receipt], deep: int) -> bool:
    """Whether the contract has refused it, as deep as was asked for. One that refuses what it knows has an event of it,
    from long ago perhaps."""
    return any(not each.succeeded and each.landing.block <= deep for each in receipts)
