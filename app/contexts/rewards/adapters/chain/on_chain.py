"""What the chain says of an address, soon or not at all."""

import asyncio
from typing import Final

import structlog

from app.contexts.chain.public import Chain, ChainAway, InvalidMint, UnknownAnswer

WITHIN_S: Final = 0.8
"""So long the chain is waited for: one's own balance is answered within a second."""

_log = structlog.get_logger(__name__)


class ChainBalance:
    """Asks it. It implements `OnChain`."""

    def __init__(self, chain: Chain | None) -> None:
        self._chain = chain

    async def balance(self, address: str) -> int | None:
        """See `OnChain.balance`."""
        if self._chain is None:
            return None
        try:
            async with asyncio.timeout(WITHIN_S):
                return await self._chain.balance(address, WITHIN_S)
        except (ChainAway, UnknownAnswer, InvalidMint, TimeoutError) as error:
            _log.warning("chain_not_asked", error=type(error).__name__)
            return None
