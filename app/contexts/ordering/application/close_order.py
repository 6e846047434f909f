"""Ship, cancel, complete: the intent, committed; money and stock, with nothing held open; the result, committed."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from app.contexts.catalog.public import Stock
from app.contexts.funds.public import BalanceLimit, Closed, Funds, HoldClosed, HoldRef, Part
from app.contexts.ordering.application.closing_steps import ENDS, Complete, Settle, Standing, Start, Step, Undo
from app.contexts.ordering.domain.order import Closing, Order
from app.contexts.ordering.domain.refusals import OrderState
from app.kernel.refusals import Refusal

TakeStep = Callable[[Step], Awaitable[Standing | Refusal]]
"""The batched use case: each call is one command of a batch."""

_OTHER: Final = {Closing.SHIP: Closing.CANCEL, Closing.CANCEL: Closing.SHIP}


class CloseOrder:
    """Does with orders what their sides ask for, and finishes what somebody else began: each step is repeatable."""

    def __init__(self, take: TakeStep, stock: Stock, funds: Funds) -> None:
        self._take = take
        self._stock = stock
        self._funds = funds

    async def __call__(self, start: Start, traceparent: str | None = None) -> Order:
        """Ship or cancel the order. The same again is the same order, as it stands by then.

        Raises:
            OrderNotFound, NotTheirs: there is none, or it is not theirs to do so.
            OrderState: something else was done with it, or is being done.
            BalanceLimit: its seller has no room for the money; it is paid, as before.
            Unavailable: nobody knows what became of it; the same again tells.
        """
        order = await self.finish(_standing(await self._take(start)), traceparent)
        if not start.is_the_same_as(order):  # somebody else has done it, in other words
            raise OrderState(order.status)
        return order

    async def complete(self, step: Complete) -> Order:
        """The order has arrived. The same again is the same order.

        Raises:
            OrderNotFound, NotTheirs, OrderState: as above.
        """
        return _standing(await self._take(step)).order

    async def finish(self, standing: Standing, traceparent: str | None = None) -> Order:
        """Finish what was begun with the order, if it is not finished. The hold is closed once: for what, decides."""
        order = standing.order
        if order.closing is None:
            return order
        assert order.hold_id is not None, "it is paid"
        hold = HoldRef(order.buyer_id, order.currency, order.hold_id)
        if order.closing is Closing.SHIP:
            outcome = await self._funds.capture(hold, parts_of(order))
        else:
            outcome = await self._funds.release(hold)
        if isinstance(outcome, Closed):
            return await self._settle(standing, order.closing, traceparent)
        if isinstance(outcome.refusal, BalanceLimit):
            await self._take(Undo(order.tenant_id, order.id, order.closing_at))
            raise outcome.refusal
        if not isinstance(outcome.refusal, HoldClosed):
            raise LookupError(f"order {order.id} has no hold that could be closed")
        # Somebody who began something else, long ago, has gone on with it only now.
        await self._settle(standing, _OTHER[order.closing], traceparent)
        raise OrderState(ENDS[_OTHER[order.closing]])

    async def _settle(self, standing: Standing, as_: Closing, traceparent: str | None) -> Order:
        order = standing.order
        if as_ is Closing.CANCEL:
            await self._stock.give_back(order.tenant_id, standing.reservation, standing.products)
        return _standing(await self._take(Settle(order.tenant_id, order.id, as_, traceparent))).order


def parts_of(order: Order) -> Sequence[Part]:
    """Who gets what of an order's total. A house that sells has it all; what it would pay itself stays with it."""
    if order.seller_id == order.house_user_id:
        return [Part(order.seller_id, order.total_minor)]
    fee = Part(order.house_user_id, order.fee_minor, is_fee=True)
    parts = [Part(order.seller_id, order.total_minor - order.fee_minor), fee]
    return [part for part in parts if part.amount_minor and part.beneficiary != order.buyer_id]


def _standing(result: Standing | Refusal) -> Standing:
    if isinstance(result, Refusal):
        raise result
    return result
