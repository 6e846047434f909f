"""Bid: the intent, committed; its maximum set aside, with nothing held open; the bid, committed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from app.contexts.auctions.application.asked import BidRequest
from app.contexts.auctions.application.bid_steps import Begin, Refuse, Reroute, Take
from app.contexts.auctions.application.board import Step
from app.contexts.auctions.application.decisions import Decided
from app.contexts.auctions.domain.intent import Intent, Kind
from app.contexts.funds.public import Done, Funds, HoldClosed, HoldId, InsufficientFunds, Outcome, TooManyChanges
from app.kernel.errors import Unavailable
from app.kernel.money import Money
from app.platform.idempotency.keys import Answered

TakeInTime = Callable[[Step, float], Awaitable[Any]]
"""The batched use case: each call is one command of a batch, begun by a time of the event loop or not at all."""
_NO_END = float("inf")


class PlaceBid:
    """Takes a request to its bid, or as far as can be known by the deadline. What is begun by then and not decided is
    recovery's, which never makes a bid of it.
    """

    def __init__(self, take: TakeInTime, funds: Funds) -> None:
        self._take = take
        self._funds = funds

    async def __call__(self, request: BidRequest, deadline: float) -> Decided:
        """Bid. `deadline` is a time of the running event loop: nothing is held after it, but what is held for is
        decided.

        Whoever has the answer has to see to what it leaves, too.

        Raises:
            Refusal: the request is refused for now, and left no trace.
            Unavailable: nothing can be said about what happened; the same key tells.
        """
        begun = await self._take(Begin(request), deadline)
        match begun:
            case Answered():
                return Decided(begun)
            case Decided():
                return begun
            case Intent():
                return await self._carry_out(begun, deadline)
            case refusal:
                raise refusal

    async def _carry_out(self, intent: Intent, deadline: float) -> Decided:
        was_raise = False
        while True:
            if asyncio.get_running_loop().time() >= deadline:
                raise Unavailable("the request's time was over before it was done")
            was_raise = was_raise or intent.kind is Kind.RAISE
            went = await self._take(_behind(intent, await self._set_aside(intent), is_last=was_raise), _NO_END)
            match went:
                case Decided():
                    return went
                case Intent():
                    intent = went
                case _:
                    raise Unavailable("somebody else has decided the bid")

    async def _set_aside(self, intent: Intent) -> Outcome:
        if intent.raised is not None:
            return await self._funds.resize(intent.holding, intent.hold(intent.raised), intent.max_minor)
        money = Money(intent.max_minor, intent.currency)
        return await self._funds.hold(intent.holding, intent.tenant_id, intent.bidder, money, None)


def _behind(intent: Intent, outcome: Outcome, *, is_last: bool) -> Step:
    """What comes behind what funds say."""
    if isinstance(outcome, Done):
        return Take(intent, intent.raised or HoldId(outcome.ids[0]))
    if isinstance(outcome.refusal, InsufficientFunds):
        return Refuse(intent, outcome.refusal, is_last)
    if isinstance(outcome.refusal, HoldClosed | TooManyChanges) and intent.kind is Kind.RAISE:
        return Reroute(intent)
    raise Unavailable(f"nothing can be set aside for the bid: {outcome.refusal.code}")
