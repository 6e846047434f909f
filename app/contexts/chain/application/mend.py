"""Mend what does not get on by itself: send again, offer more, sign anew what a stranger took the nonce of."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol
from uuid import UUID

from app.contexts.chain.application.follow import Round
from app.contexts.chain.application.ports import Head, Key, Mending, Sending, Sent, Why
from app.contexts.chain.domain.fees import are_lavish, are_outbid, fees_for, raised
from app.contexts.chain.domain.mint import MintStatus
from app.contexts.chain.domain.transactions import OpenMint, Signed

UNSENT_S: Final = 2.0
"""So long after it was signed a transaction is sent by whoever signed it."""
FORGOTTEN_S: Final = 5.0
"""After that it is sent again: the node may have forgotten it, or never passed it on."""
FOREIGN_S: Final = 2.0
"""So long none of a mint's transactions has a receipt, though its nonce is spent, until it is believed: a node may
know of a nonce before it has the receipt."""
MOST_SENT: Final = 256
MOST_TAKEN_OVER: Final = 50
"""Mints of another key that are signed with ours in a round."""
PASSED_BLOCKS: Final = 3
"""Blocks without the transaction that is next, though it offers what the node says it takes."""


class Mended(Protocol):
    """What is told of mending."""

    def count(self, what: str) -> None:
        """`sent_again`, `replaced`, `foreign_nonce`, `taken_over` or `filled`."""
        ...


@dataclass(slots=True)
class _Front:
    """The transaction that is next, since when it is that, and at which block."""

    tx_hash: str
    block: int
    since: float


class Mend:
    """The use case, for what a round of following has seen."""

    def __init__(
        self,
        kept: Mending,
        node: Sending,
        key: Key,
        send: Callable[[Sequence[Signed]], Awaitable[Sequence[Sent]]],
        fill: Callable[[Round, Sequence[OpenMint]], Awaitable[None]],
        stuck_s: float,
        told: Mended,
    ) -> None:
        """`fill` fills the nonces before those that wait."""
        self._kept = kept
        self._node = node
        self._key = key
        self._send = send
        self._fill = fill
        self._stuck_s = stuck_s
        self._told = told
        self._front: _Front | None = None
        self._outbid: set[str] = set()
        """Those that the node wanted more for."""
        self._others: dict[str, _Front] = {}
        """Of other keys the transactions that are next."""
        self._foreign_since: dict[UUID, float] = {}
        self._began = False

    async def __call__(self, seen: Round) -> None:
        """Mend."""
        mined = {change.request_id for change in seen.changes if change.status is not MintStatus.BROADCAST}
        self._outbid &= {mint.signed.tx_hash for mint in seen.open}
        waiting = [
            mint
            for mint in seen.open
            if mint.order.request_id not in mined and mint.signed.nonce >= seen.head.spent.get(mint.signed.sender, 0)
        ]
        await self._fill(seen, waiting)
        if again := self._due(seen, waiting):
            await self._send_all(again[:MOST_SENT])
        await self._offer_more(seen.head, [mint for mint in waiting if mint.signed.sender == self._key.address])
        await self._sign_again(self._are_foreign(seen.foreign), Why.STRANGER)
        await self._sign_again(self._of_others(seen.head, waiting), Why.ROTATED)

    def _due(self, seen: Round, waiting: Sequence[OpenMint]) -> list[Signed]:
        """What is to be sent once more. Whatever was left unsent by a process that died is, when one begins."""
        back = {change.request_id for change in seen.changes if change.status is MintStatus.BROADCAST}
        first, self._began = not self._began, True
        due = []
        for mint in waiting:
            if mint.broadcast_s_ago is None:
                is_due = first or mint.signed_s_ago > UNSENT_S
            else:
                is_due = mint.broadcast_s_ago > FORGOTTEN_S
            if is_due or mint.order.request_id in back:
                due.append(mint.signed)
        return due

    async def _send_all(self, again: Sequence[Signed]) -> None:
        outcomes = await self._send(again)
        for signed, sent in zip(again, outcomes, strict=True):
            self._told.count("sent_again")
            if sent is Sent.OUTBID:
                self._outbid.add(signed.tx_hash)

    async def _offer_more(self, head: Head, waiting: Sequence[OpenMint]) -> None:
        """Once the next one has waited for long enough, and for its fees: raise those of all that are outbid."""
        front = waiting[0] if waiting else None
        now = asyncio.get_running_loop().time()
        if front is None or (front.broadcast_s_ago is None and front.signed.tx_hash not in self._outbid):
            self._front = None
        elif self._front is None or self._front.tx_hash != front.signed.tx_hash:
            self._front = _Front(front.signed.tx_hash, head.block, now)
        if front is None or self._front is None or now - self._front.since < self._stuck_s:
            return
        passed = head.block - self._front.block >= PASSED_BLOCKS
        for mint in waiting:
            is_refused = mint.signed.tx_hash in self._outbid or (passed and mint is front)
            if are_outbid(mint.signed.fees, head.market) or (
                is_refused and not are_lavish(mint.signed.fees, head.market)
            ):
                await self._replace(mint, head)
        self._front = None

    async def _replace(self, mint: OpenMint, head: Head) -> None:
        old = mint.signed
        gas = (await self._node.terms(self._key.address)).gas
        new = self._key.sign(mint.order, old.nonce, raised(old.fees, head.market), gas)
        self._outbid.discard(old.tx_hash)
        if await self._kept.replace(mint, new):
            self._told.count("replaced")
            await self._send([new])

    def _are_foreign(self, foreign: Sequence[OpenMint]) -> Sequence[OpenMint]:
        """Those of which it is believed that somebody else has spent the nonce."""
        now = asyncio.get_running_loop().time()
        self._foreign_since = {
            mint.order.request_id: self._foreign_since.get(mint.order.request_id, now) for mint in foreign
        }
        return [mint for mint in foreign if now - self._foreign_since[mint.order.request_id] >= FOREIGN_S]

    def _of_others(self, head: Head, waiting: Sequence[OpenMint]) -> Sequence[OpenMint]:
        """Those of other keys, which can be offered no more for, where the first of a key has not got on for long: the
        key was changed."""
        now = asyncio.get_running_loop().time()
        fronts: dict[str, _Front] = {}
        for mint in waiting:
            sender, known = mint.signed.sender, self._others.get(mint.signed.sender)
            if sender != self._key.address and sender not in fronts:
                is_same = known is not None and known.tx_hash == mint.signed.tx_hash
                fronts[sender] = known if known and is_same else _Front(mint.signed.tx_hash, head.block, now)
        self._others = fronts
        stuck = {sender for sender, front in fronts.items() if now - front.since >= self._stuck_s}
        return [mint for mint in waiting if mint.signed.sender in stuck][:MOST_TAKEN_OVER]

    async def _sign_again(self, believed: Sequence[OpenMint], why: Why) -> None:
        if not believed:
            return
        terms = await self._node.terms(self._key.address)
        fees = fees_for(terms.market)
        for mint in believed:
            sign = partial(self._key.sign, mint.order, fees=fees, gas=terms.gas)
            signed = await self._kept.sign_again(mint, why, self._key.address, terms.floor, sign)
            if signed is not None:
                self._told.count("foreign_nonce" if why is Why.STRANGER else "taken_over")
                await self._send([signed])
