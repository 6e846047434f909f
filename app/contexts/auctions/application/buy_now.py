"""Buy at once: the intent, committed; the price set aside, with nothing held open; the auction closed by it."""

import asyncio

from app.contexts.auctions.application.asked import BuyRequest
from app.contexts.auctions.application.buy_steps import BeginPurchase, Buy, RefusePurchase
from app.contexts.auctions.application.close_auction import CloseAuction
from app.contexts.auctions.application.closing_steps import Begun
from app.contexts.auctions.application.decisions import Decided
from app.contexts.auctions.application.place_bid import TakeInTime
from app.contexts.auctions.domain.intent import Intent
from app.contexts.funds.public import Done, Funds, HoldId, InsufficientFunds
from app.kernel.errors import Unavailable
from app.kernel.money import Money
from app.platform.idempotency.keys import Answered

_NO_END = float("inf")


class BuyNow:
    """Takes a request to its order, or as far as can be known by the deadline. What is begun by then and not decided is
    recovery's, which never makes a purchase of it; one that is decided it finishes.
    """

    def __init__(self, take: TakeInTime, funds: Funds, close: CloseAuction) -> None:
        self._take = take
        self._funds = funds
        self._close = close

    async def __call__(self, request: BuyRequest, deadline: float) -> Decided:
        """Buy. `deadline` is a time of the running event loop: nothing is held after it; what is held for is decided.

        Whoever has the answer has to see to what it leaves, too.

        Raises:
            Refusal: the request is refused for now, and left no trace.
            Unavailable: nothing can be said about what happened; the same key tells.
        """
        wanted = await self._take(BeginPurchase(request), deadline)
        match wanted:
            case Decided():
                return wanted
            case Answered():
                return Decided(wanted)
            case Intent():
                return await self._carry_out(wanted, deadline)
            case refusal:
                raise refusal

    async def _carry_out(self, intent: Intent, deadline: float) -> Decided:
        if asyncio.get_running_loop().time() >= deadline:
            raise Unavailable("the request's time was over before it was done")
        money = Money(intent.max_minor, intent.currency)
        outcome = await self._funds.hold(intent.holding, intent.tenant_id, intent.bidder, money, None)
        if isinstance(outcome, Done):
            went = await self._take(Buy(intent, HoldId(outcome.ids[0])), _NO_END)
        elif isinstance(outcome.refusal, InsufficientFunds):
            went = await self._take(RefusePurchase(intent, outcome.refusal), _NO_END)
        else:
            raise Unavailable(f"nothing can be set aside for the purchase: {outcome.refusal.code}")
        match went:
            case Decided():
                return went
            case Begun():
                return await self._finished(went, intent)
            case _:
                raise Unavailable("somebody else has decided the purchase")

    async def _finished(self, begun: Begun, intent: Intent) -> Decided:
        closed = await self._close.finish(begun, bought=intent, traceparent=intent.traceparent)
        if closed.answered is None:
            raise Unavailable("somebody else has finished the purchase")
        return Decided(closed.answered)
