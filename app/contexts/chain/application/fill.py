"""Fill nonces: while one is not spent, nothing behind it has its turn.

What had spent it is on the chain no more, its mint came about by another transaction, or a node told of it as given out
and has forgotten who to.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from app.contexts.chain.application.follow import Round
from app.contexts.chain.application.ports import Head, Key, Sending, Sent
from app.contexts.chain.domain.fees import Fees, are_lavish, are_outbid, fees_for, raised
from app.contexts.chain.domain.mint import MintOrder
from app.contexts.chain.domain.transactions import OpenMint, Signed

AGAIN_S: Final = 5.0
"""After that the same is sent again."""
AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Old:
    """What was signed with a nonce before: for an order, for the contract, or for nothing."""

    signed: Signed
    order: MintOrder | None
    is_the_contract: bool


class Filling(Protocol):
    """Nonces that hold up those behind them, as what fills them sees it."""

    async def old(self, sender: str, first: int, behind: int) -> Sequence[Old]:
        """What was signed last with each of the nonces from the first to the one before `behind`, and is not open."""
        ...

    async def fill(self, sender: str, instead: Old | None, by: Signed) -> bool:
        """Keep it, unless another was signed with the nonce meanwhile; whether it was done."""
        ...


class Fill:
    """The use case. The same bytes are sent first; what these have no chance with is signed anew: the same call where
    there was one, nothing at all where nobody knows what was signed."""

    def __init__(
        self,
        kept: Filling,
        node: Sending,
        key: Key,
        send: Callable[[Sequence[Signed]], Awaitable[Sequence[Sent]]],
        stuck_s: float,
        count: Callable[[str], None],
    ) -> None:
        """`count` is told of each that is `filled`."""
        self._kept = kept
        self._node = node
        self._key = key
        self._send = send
        self._stuck_s = stuck_s
        self._count = count
        self._gap: tuple[int, float] | None = None
        """The first nonce that is not spent though it should be, and since when it is that."""
        self._sent: dict[str, float] = {}
        self._outbid: set[str] = set()
        """Those that the node wanted more for."""

    async def __call__(self, seen: Round, waiting: Sequence[OpenMint]) -> None:
        """Fill what is missing before those of our key that wait, in the order of their nonces."""
        spent = seen.head.spent.get(self._key.address, 0)
        own = [mint.signed.nonce for mint in waiting if mint.signed.sender == self._key.address]
        if not own or own[0] == spent:
            self._gap, self._sent, self._outbid = None, {}, set()
            return
        now = asyncio.get_running_loop().time()
        if self._gap is None or self._gap[0] != spent:
            self._gap = spent, now
        behind = min(own[0], spent + AT_ONCE)
        old = {each.signed.nonce: each for each in await self._kept.old(self._key.address, spent, behind)}
        await self._send_all(
            [each.signed for each in old.values() if now - self._sent.get(each.signed.tx_hash, -AGAIN_S) >= AGAIN_S]
        )
        if now - self._gap[1] < self._stuck_s:
            return
        self._gap = spent, now
        for nonce in range(spent, behind):
            known = old.get(nonce)
            if known is None or (not known.is_the_contract and self._may_rise(known.signed, seen.head)):
                await self._fill(nonce, known, seen.head)

    async def _send_all(self, signed: Sequence[Signed]) -> None:
        if signed:
            self._sent |= dict.fromkeys((each.tx_hash for each in signed), asyncio.get_running_loop().time())
            for each, sent in zip(signed, await self._send(signed), strict=True):
                (self._outbid.add if sent is Sent.OUTBID else self._outbid.discard)(each.tx_hash)

    async def _fill(self, nonce: int, known: Old | None, head: Head) -> None:
        gas = (await self._node.terms(self._key.address)).gas
        # Nobody knows what waits under a nonce that is not ours: a node may want more than for that.
        fees = fees_for(head.market) if known is None else raised(known.signed.fees, head.market)
        by = self._signed(known, nonce, fees, gas)
        if await self._kept.fill(self._key.address, known, by):
            self._count("filled")
            await self._send_all([by])

    def _signed(self, known: Old | None, nonce: int, fees: Fees, gas: int) -> Signed:
        if known is None or known.order is None:
            return self._key.sign_nothing(nonce, fees, gas)
        return self._key.sign(known.order, nonce, fees, gas)

    def _may_rise(self, signed: Signed, head: Head) -> bool:
        if are_outbid(signed.fees, head.market):
            return True
        return signed.tx_hash in self._outbid and not are_lavish(signed.fees, head.market)
