"""Refund: the intent, the gateway with nothing held open, the result; what is left half-way is asked, then repeated.

The likeness of `pay`, with one difference: a refund is never voided. What is promised is asked for, under the same id,
until the gateway has said what became of it.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from app.contexts.payments.application.gateway import Gate
from app.contexts.payments.application.promise import Promise, Promised, recorded
from app.contexts.payments.application.refund_books import RefundRecords
from app.contexts.payments.application.refund_request import RefundPending, RefundRequest
from app.contexts.payments.application.settle_refund import RefundSettlement, SettledRefund
from app.contexts.payments.domain.outcome import Absent, FailureCode, Refunded, RefundRefused, Unknown
from app.contexts.payments.domain.refund import Refund
from app.contexts.payments.domain.refusals import GatewayUnavailable, RefundsUnavailable
from app.kernel.errors import Unavailable
from app.kernel.refusals import Refusal
from app.platform.idempotency.keys import Answered

Promising = Callable[[RefundRequest, float], Awaitable[Promise]]
SettlingRefund = Callable[[RefundSettlement], Awaitable[SettledRefund]]
"""The batched use cases: each call is one command of a batch."""
OnPromised = Callable[[Refund], None]
ResolvingRefund = Callable[[Refund, FailureCode, float], Awaitable[SettledRefund | RefundPending]]
"""`ResolveRefund`, as recovery calls it."""


class RefundGateway(Protocol):
    """The outside gateway, which gives money back once for a refund's id, however often it is asked to.

    No method raises for anything the gateway or the network does. `deadline` is a time of the running event loop.
    """

    async def refund(self, refund: Refund, deadline: float) -> Refunded | RefundRefused | Unknown:
        """Ask for the money, again while there is time."""
        ...

    async def ask(self, refund: Refund, deadline: float) -> Refunded | RefundRefused | Absent | Unknown:
        """Ask what became of the refund."""
        ...

    async def repeat(self, refund: Refund, deadline: float) -> Refunded | RefundRefused | Unknown:
        """Ask for the money as `refund` does, whatever the breaker says: nothing else ever settles the refund."""
        ...


class RefundPayment:
    """Takes a request to refund to its end, or as far as can be known."""

    def __init__(
        self, gate: Gate, records: RefundRecords, promise: Promising, gateway: RefundGateway, settle: SettlingRefund
    ) -> None:
        self._gate = gate
        self._records = records
        self._promise = promise
        self._gateway = gateway
        self._settle = settle

    async def __call__(
        self, request: RefundRequest, deadline: float, on_promised: OnPromised
    ) -> Answered | RefundPending:
        """Refund. `on_promised` is told once the promise is made: from there on the refund exists.

        `deadline` is a time of the running event loop. Nothing is begun after it, but what was begun is finished.

        Raises:
            Refusal: the request is refused, and left no trace.
            Unavailable: nothing can be said about what happened.
        """
        try:
            slot = self._gate.enter()
        except GatewayUnavailable as closed:
            # The gate refuses only a key that has no record.
            record = await self._records.find(request)
            if record is None:
                raise RefundsUnavailable(closed.retry_after_s) from None
            return _answered(recorded(request, record))
        with slot:
            promise = await self._promise(request, deadline)
            if not isinstance(promise, Promised):
                return _answered(promise)
            on_promised(promise.refund)
            outcome = await self._gateway.refund(promise.refund, deadline)
            if isinstance(outcome, Unknown):
                return RefundPending(promise.refund, outcome.why)
            settled = await self._settle(RefundSettlement(promise.refund, outcome))
        return Answered(settled.answer, replayed=settled.before)


class ResolveRefund:
    """Learns what became of a refund, and asks for it again where the gateway has not heard of it. Never guesses."""

    def __init__(self, gateway: RefundGateway, settle: SettlingRefund, put_off: Callable[[Refund], Awaitable[None]]):
        self._gateway = gateway
        self._settle = settle
        self._put_off = put_off

    async def __call__(self, refund: Refund, _: FailureCode, deadline: float) -> SettledRefund | RefundPending:
        """Finish the refund if the gateway lets us; else it is put off, the longer the older it is.

        Raises:
            Unavailable: the books are out of reach; what was to be written may have been.
        """
        outcome = await self._gateway.ask(refund, deadline)
        if isinstance(outcome, Absent):
            outcome = await self._gateway.repeat(refund, deadline)
        if isinstance(outcome, Unknown):
            await self._put_off(refund)
            return RefundPending(refund, outcome.why)
        return await self._settle(RefundSettlement(refund, outcome))


def _answered(promise: Promise) -> Answered:
    if isinstance(promise, Refusal | Unavailable):
        raise promise
    assert isinstance(promise, Answered), "a refund's id belongs to one request, which has just been promised"
    return promise
