"""From what funds say of a checkout's holds to its end, whoever asked them: each step is repeatable."""

from collections.abc import Awaitable, Callable

from app.contexts.catalog.public import Reserved, Stock
from app.contexts.funds.public import Done, Forbidden, Funds, HoldId, InsufficientFunds
from app.contexts.funds.public import Refused as RefusedByFunds
from app.contexts.ordering.application.asked import CheckoutRefusal
from app.contexts.ordering.application.conclude import Concluded, Conclusion, Paid, Refused
from app.contexts.ordering.domain.checkout import Checkout

Concluding = Callable[[Conclusion], Awaitable[Concluded]]
"""The batched use case: each call is one command of a batch."""


class EndCheckout:
    """Ends a checkout that is begun, with nothing open while another context is asked."""

    def __init__(self, stock: Stock, funds: Funds, conclude: Concluding) -> None:
        self._stock = stock
        self._funds = funds
        self._conclude = conclude

    async def pay(self, checkout: Checkout, holds: Done) -> Concluded:
        """The holds are there: what was reserved is sold, and the orders are paid."""
        await self._stock.take(checkout.tenant_id, checkout.reservation)
        return await self._conclude(Paid(checkout.ref, [HoldId(made) for made in holds.ids]))

    async def refuse(self, checkout: Checkout, refusal: CheckoutRefusal, *, is_reserved: bool = True) -> Concluded:
        """Nothing is held, and never will be."""
        if is_reserved:
            await self._stock.give_back(checkout.tenant_id, checkout.reservation)
        return await self._conclude(Refused(checkout.ref, refusal))

    async def decide(self, checkout: Checkout) -> Concluded:
        """Take over a checkout that somebody else began. Whether its holds are there decides it; if they are not they
        never will be, nor what it meant to reserve: then it is as if it had never begun, and its key is free.
        """
        outcome = await self._funds.forbid(checkout.holding)
        if isinstance(outcome, Done):
            return await self.pay(checkout, outcome)
        is_reserved = isinstance(await self._stock.forbid(checkout.tenant_id, checkout.reservation), Reserved)
        if is_reserved:
            await self._stock.give_back(checkout.tenant_id, checkout.reservation)
        return await self._conclude(Refused(checkout.ref, _refusal(outcome)))


def _refusal(outcome: RefusedByFunds | Forbidden) -> InsufficientFunds | None:
    """Why funds refused the holds, if they did."""
    if isinstance(outcome, RefusedByFunds) and isinstance(outcome.refusal, InsufficientFunds):
        return outcome.refusal
    return None
