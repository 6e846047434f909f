"""Check out: the intent, committed; stock and funds, with nothing held open; the result, committed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from app.contexts.catalog.public import OutOfStock, Reserved, ReservedLine, Stock
from app.contexts.funds.public import Done, Funds, InsufficientFunds, Placement
from app.contexts.ordering.application.asked import CheckoutRequest, UnderWay
from app.contexts.ordering.application.begin import Begun
from app.contexts.ordering.application.conclude import Concluded
from app.contexts.ordering.application.end_checkout import EndCheckout
from app.contexts.ordering.application.houses import Houses
from app.contexts.ordering.application.place import Ended, Placing
from app.contexts.ordering.domain.checkout import Checkout
from app.contexts.ordering.domain.order import Order
from app.kernel.errors import Unavailable
from app.kernel.money import Money
from app.platform.idempotency.keys import Answered

Beginning = Callable[[CheckoutRequest, float], Awaitable[Begun]]
PlaceOne = Callable[[Placing, float], Awaitable[list[Order] | Ended]]
"""The batched use cases: each call is one command of a batch, begun by a time of the event loop or not at all."""


class CheckOut:
    """Takes a cart to its orders, or as far as can be known by the deadline. What is begun by then and not ended is
    recovery's.
    """

    def __init__(
        self, begin: Beginning, stock: Stock, place: PlaceOne, funds: Funds, end: EndCheckout, houses: Houses
    ) -> None:
        self._begin = begin
        self._stock = stock
        self._place = place
        self._funds = funds
        self._end = end
        self._houses = houses

    async def __call__(self, request: CheckoutRequest, deadline: float) -> Answered:
        """Check out. `deadline` is a time of the running event loop: nothing is reserved or held after it, but what is
        paid for is finished.

        Raises:
            Refusal: the request is refused for now, and left no trace.
            Unavailable: nothing can be said about what happened; the same key tells.
        """
        begun = await self._begin(request, deadline)
        if isinstance(begun, UnderWay) and begun.checkout and begun.is_due:
            await self._end.decide(begun.checkout)
            begun = await self._begin(request, deadline)
        match begun:
            case Answered():
                return begun
            case Checkout():
                return _answered(await self._carry_out(begun, deadline))
            case UnderWay(refusal=refusal):
                raise refusal
            case refusal:
                raise refusal

    async def _carry_out(self, checkout: Checkout, deadline: float) -> Concluded:
        _see_that_there_is_time(deadline)
        buyer, lines = checkout.buyer_id, checkout.lines
        reserved = await self._stock.reserve(checkout.reservation, checkout.tenant_id, buyer, lines)
        if isinstance(reserved, OutOfStock):
            return await self._end.refuse(checkout, reserved, is_reserved=False)
        if not isinstance(reserved, Reserved):
            return Ended()
        if refusal := checkout.refusal_of(reserved.lines):
            return await self._end.refuse(checkout, refusal)
        return await self._pay_for(checkout, reserved.lines, deadline)

    async def _pay_for(self, checkout: Checkout, lines: Sequence[ReservedLine], deadline: float) -> Concluded:
        house = await self._houses.of(checkout.tenant_id)
        placed = await self._place(Placing(checkout.ref, lines, house), deadline)
        if isinstance(placed, Ended):
            return placed
        _see_that_there_is_time(deadline)
        outcome = await self._funds.together(
            checkout.holding,
            [Placement(o.tenant_id, o.buyer_id, Money(o.total_minor, o.currency)) for o in placed],
        )
        if isinstance(outcome, Done):
            return await self._end.pay(checkout, outcome)
        if isinstance(outcome.refusal, InsufficientFunds):
            return await self._end.refuse(checkout, outcome.refusal)
        return Ended()  # the holds were forbidden


def _see_that_there_is_time(deadline: float) -> None:
    if asyncio.get_running_loop().time() >= deadline:
        raise Unavailable("the request's time was over before it was done")


def _answered(concluded: Concluded) -> Answered:
    if not isinstance(concluded, Answered):
        raise Unavailable("somebody else has decided the checkout")
    return concluded
