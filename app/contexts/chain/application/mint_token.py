"""Mint: sign, send, and say how far that came."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from app.contexts.chain.application.ports import Sent, Standing
from app.contexts.chain.application.sign_mints import Answer
from app.contexts.chain.domain.mint import Mint, MintOrder, MintStatus
from app.contexts.chain.domain.refusals import ChainAway, UnknownAnswer
from app.contexts.chain.domain.transactions import Signed
from app.kernel.errors import Unavailable

TO_ANSWER_S: Final = 0.25
"""Of a caller's time that is kept for the answer."""


class MintToken:
    """The use case. What was begun is finished, whether the caller waits or not."""

    def __init__(
        self,
        sign: Callable[[MintOrder, float], Awaitable[Answer]],
        send: Callable[[Signed], Awaitable[Sent]],
        may_be_signed: Callable[[Unavailable], bool],
    ) -> None:
        self._sign = sign
        self._send = send
        self._may_be_signed = may_be_signed

    async def __call__(self, order: MintOrder, deadline: float) -> Mint:
        """How far the mint is, by `deadline`, a time of the running loop.

        Raises:
            RequestReused: the request id is another order's.
            ChainAway: nothing was signed.
            UnknownAnswer: nobody knows whether it was signed.
        """
        found = await self._signed(order, deadline)
        if found.unsent is None:
            return found.mint
        sending = asyncio.ensure_future(self._send(found.unsent))
        sending.add_done_callback(lambda task: task.cancelled() or task.exception())
        left_s = deadline - TO_ANSWER_S - asyncio.get_running_loop().time()
        await asyncio.wait({sending}, timeout=max(0.0, left_s))
        is_taken = sending.done() and sending.exception() is None and sending.result() is Sent.TAKEN
        return replace(found.mint, status=MintStatus.BROADCAST) if is_taken else found.mint

    async def _signed(self, order: MintOrder, deadline: float) -> Standing:
        try:
            answer = await self._sign(order, deadline - TO_ANSWER_S)
        except Unavailable as error:
            if self._may_be_signed(error):
                raise UnknownAnswer("the database was lost while the mint was signed") from error
            raise ChainAway("the database does not take the work now") from error
        if isinstance(answer, Standing):
            return answer
        raise answer
