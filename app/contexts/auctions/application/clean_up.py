"""What is left when somebody has their answer: holds go back, and raises of which nothing came are taken back."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from app.contexts.auctions.application.board import Step
from app.contexts.auctions.application.decisions import Leftover, Undoing
from app.contexts.auctions.application.undo_steps import GiveUp, Returned, Undone
from app.contexts.auctions.domain.intent import Intent, Kind, Return
from app.contexts.funds.public import Done, Funds, HoldId

TakeStep = Callable[[Step], Awaitable[Any]]
"""The batched use case: each call is one command of a batch."""


class CleanUp:
    """Sees to leftovers, with nothing open while funds are asked: each step is repeatable."""

    def __init__(self, take: TakeStep, funds: Funds) -> None:
        self._take = take
        self._funds = funds

    async def __call__(self, leftovers: Sequence[Leftover]) -> None:
        """See to them.

        Raises:
            Unavailable: it cannot be done now; recovery does.
        """
        for leftover in leftovers:
            if isinstance(leftover, Return):
                await self.give_back(leftover)
            else:
                await self._undo(leftover)

    async def give_back(self, back: Return) -> None:
        """Release the hold. One that is closed is; one that is not there never was."""
        await self._funds.release(back.hold)
        await self._take(Returned(back))

    async def decide(self, intent: Intent) -> None:
        """Take over an intent that somebody else began: it never becomes a bid, whatever is held for it by now."""
        undoing = await self._take(GiveUp(intent))
        if undoing is not None:
            await self._undo(undoing)

    async def _undo(self, undoing: Undoing) -> None:
        intent = undoing.intent
        outcome = await self._funds.forbid(intent.holding)
        if isinstance(outcome, Done):
            if intent.kind is not Kind.RAISE:
                await self._funds.release(intent.hold(HoldId(outcome.ids[0])))
            elif undoing.lower_to_minor is not None and intent.raised is not None:
                # Refused where the hold was closed meanwhile: then there is nothing to be taken back.
                await self._funds.resize(intent.lowering, intent.hold(intent.raised), undoing.lower_to_minor)
        await self._take(Undone(intent))
