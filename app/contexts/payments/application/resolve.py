"""Finish a payment whose outcome nobody knows: ask first, mark before void, never guess.

The one place that does so, for the API and for recovery alike. Whatever cannot be learned now stays PENDING.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from app.contexts.payments.application.gateway import Gateway
from app.contexts.payments.application.results import Answered, StillPending
from app.contexts.payments.application.settle import Marked, Settlement
from app.contexts.payments.domain.outcome import Approved, Declined, FailureCode, Outcome, Unknown, Voided
from app.contexts.payments.domain.payment import Payment

Settling = Callable[[Settlement], Awaitable[Answered | Marked]]
Marking = Callable[[Payment], Awaitable[Answered | Marked]]
Resolving = Callable[[Payment, FailureCode, float], Awaitable[Answered | StillPending]]
"""`Resolve`, as recovery calls it."""


class Resolve:
    """Learns what became of a payment's charge, or sees to it that none stands."""

    def __init__(self, gateway: Gateway, settle: Settling, mark: Marking) -> None:
        self._gateway = gateway
        self._settle = settle
        self._mark = mark

    async def __call__(self, payment: Payment, why: FailureCode, deadline: float) -> Answered | StillPending:
        """Finish the payment if the gateway lets us. `why` is what the answer says if it turns out to have failed.

        Raises:
            Unavailable: the books are out of reach; what was to be written may have been.
        """
        if payment.void_requested_at is None:
            match await self._gateway.ask(payment, deadline):
                case Unknown(silence):
                    return StillPending(payment, silence)
                case Approved() | Declined() | Voided() as outcome:
                    return await self._finish(payment, outcome, why)
                case _:  # absent or mismatched: a charge may stand, or be on its way
                    marked = await self._mark(payment)
                    if isinstance(marked, Answered):
                        return marked
        match await self._gateway.void(payment, deadline):
            case Unknown(silence):
                return StillPending(payment, silence)
            case outcome:
                return await self._finish(payment, outcome, why)

    async def _finish(self, payment: Payment, outcome: Outcome, why: FailureCode) -> Answered | StillPending:
        if isinstance(outcome, Voided):
            outcome = replace(outcome, why=why)
        result = await self._settle(Settlement(payment, outcome))
        return result if isinstance(result, Answered) else StillPending(result.payment, why)
