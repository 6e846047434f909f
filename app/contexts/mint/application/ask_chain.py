"""Asking the chain what becomes of requests. What it does not say is not guessed."""

import asyncio
from collections.abc import Sequence

from app.contexts.chain.public import Chain, InvalidMint, Mint, RequestReused
from app.contexts.mint.application.ports import Standing
from app.contexts.mint.domain.request import REUSED, MintRequest, Outcome, outcome_of, refused
from app.kernel.errors import Unavailable


class AskChain:
    """Asks for each request, and has those minted that the chain does not know. Each call ends within `timeout_s`."""

    def __init__(self, chain: Chain, timeout_s: float) -> None:
        self._chain = chain
        self._timeout_s = timeout_s

    async def __call__(self, standing: Sequence[Standing]) -> Sequence[Outcome]:
        """What becomes of each, asked for side by side."""
        found = await asyncio.gather(*map(self._one, standing), return_exceptions=True)
        outcomes = []
        for outcome in found:
            if isinstance(outcome, BaseException):
                raise outcome
            outcomes.append(outcome)
        return outcomes

    async def _one(self, standing: Standing) -> Outcome:
        request = standing.request
        try:
            return outcome_of(request, await self._mint(request, is_new=standing.is_new))
        except RequestReused:
            return refused(request, REUSED)
        except InvalidMint as error:
            return refused(request, error.code)
        except Unavailable:
            return Outcome(request, None)

    async def _mint(self, request: MintRequest, *, is_new: bool) -> Mint:
        """How far it is. One that may have been asked for before is looked for first: only if there is none it is asked
        for again."""
        known = None if is_new else await self._chain.get_mint(request.id, self._timeout_s)
        return known or await self._chain.mint(request.order, self._timeout_s)
