"""The chain as the use cases see it: breaker( call ). Each call keeps its own deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from app.contexts.chain.public import Chain, ChainAway, Mint, MintOrder
from app.kernel.errors import Unavailable
from app.kernel.refusals import Refusal
from app.platform.outgoing.breaker import Breaker, BreakerOpenError

T = TypeVar("T")

Observe = Callable[[str, str], None]
"""Is told of each call, and how it ended: `answered`, `refused`, `silent`, or `not_sent` while the breaker is open."""


class GuardedChain:
    """It implements `Chain`. While the breaker is open the chain counts as away, and nothing is sent.

    A refusal is an answer: it opens nothing.
    """

    def __init__(self, chain: Chain, breaker: Breaker, observe: Observe) -> None:
        self._chain = chain
        self._breaker = breaker
        self._observe = observe

    async def mint(self, order: MintOrder, timeout_s: float) -> Mint:
        """See `Chain.mint`."""
        return await self._call("mint", lambda: self._chain.mint(order, timeout_s), timeout_s)

    async def get_mint(self, request_id: UUID, timeout_s: float) -> Mint | None:
        """See `Chain.get_mint`."""
        return await self._call("get_mint", lambda: self._chain.get_mint(request_id, timeout_s), timeout_s)

    async def balance(self, address: str, timeout_s: float) -> int:
        """See `Chain.balance`."""
        return await self._call("balance", lambda: self._chain.balance(address, timeout_s), timeout_s)

    async def _call(self, name: str, ask: Callable[[], Awaitable[T]], timeout_s: float) -> T:
        async def attempt() -> T | Refusal:
            try:
                return await ask()
            except Refusal as refusal:
                return refusal

        until = asyncio.get_running_loop().time() + timeout_s
        try:
            answer = await self._breaker.call(attempt, until)
        except BreakerOpenError:
            self._observe(name, "not_sent")
            raise ChainAway("nothing is sent: the chain did not answer lately") from None
        except Unavailable:
            self._observe(name, "silent")
            raise
        if isinstance(answer, Refusal):
            self._observe(name, "refused")
            raise answer
        self._observe(name, "answered")
        return answer
