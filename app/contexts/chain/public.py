"""All that other contexts may know of the chain."""

from typing import Protocol
from uuid import UUID

from app.contexts.chain.domain.mint import MOST, Mint, MintOrder, MintStatus
from app.contexts.chain.domain.refusals import ChainAway, InvalidMint, RequestReused, UnknownAnswer


class Chain(Protocol):
    """Tokens on a chain. What it answers is far away: each call ends within its `timeout_s`."""

    async def mint(self, order: MintOrder, timeout_s: float) -> Mint:
        """Have the tokens minted, once for the request id. The same again tells how far it is.

        The answer comes once the transaction was sent, or was tried to be: it is not on the chain then.

        Raises:
            InvalidMint, RequestReused: it will never be; the same again is refused as well.
            ChainAway: nothing was signed.
            UnknownAnswer: nobody knows; `get_mint` tells.
        """
        ...

    async def get_mint(self, request_id: UUID, timeout_s: float) -> Mint | None:
        """How far it is; None if nobody has asked for it: nothing was signed.

        Raises:
            ChainAway, UnknownAnswer: there was no answer.
        """
        ...

    async def balance(self, address: str, timeout_s: float) -> int:
        """How many base units the address has on the chain.

        Raises:
            InvalidMint: that is no address.
            ChainAway, UnknownAnswer: there was no answer.
        """
        ...


__all__ = [
    "MOST",
    "Chain",
    "ChainAway",
    "InvalidMint",
    "Mint",
    "MintOrder",
    "MintStatus",
    "RequestReused",
    "UnknownAnswer",
]
