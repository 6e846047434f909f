"""Pay: the gate, transaction 1, the gateway with nothing held open, transaction 2."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from app.contexts.payments.application.gateway import Gate, Gateway
from app.contexts.payments.application.request import PaymentRequest
from app.contexts.payments.application.reserve import Reserved, ReserveResult, recorded
from app.contexts.payments.application.resolve import Resolve, Settling
from app.contexts.payments.application.results import Answered, StillPending
from app.contexts.payments.application.settle import Settlement
from app.contexts.payments.domain.outcome import FailureCode, Unknown
from app.contexts.payments.domain.payment import Payment
from app.contexts.payments.domain.refusals import GatewayUnavailable
from app.kernel.errors import Unavailable
from app.kernel.refusals import Refusal
from app.platform.idempotency.keys import KeyRecord

Reserving = Callable[[PaymentRequest, float], Awaitable[ReserveResult]]
OnReserved = Callable[[Payment], None]


class Keys(Protocol):
    """Reads what would answer a request, without claiming anything."""

    async def find(self, request: PaymentRequest) -> KeyRecord[Payment] | None:
        """The record of the request's key.

        Raises:
            WalletNotFound: there is no record, and the user has no wallet in that currency.
            ProviderNotFound: there is no record, and no such active provider.
        """
        ...


class Pay:
    """Takes a payment request to its end, or as far as can be known.

    `reserve` and `settle` are the batched use cases: each call of theirs is one command of a batch.
    """

    def __init__(
        self, gate: Gate, keys: Keys, reserve: Reserving, gateway: Gateway, settle: Settling, resolve: Resolve
    ) -> None:
        self._gate = gate
        self._keys = keys
        self._reserve = reserve
        self._gateway = gateway
        self._settle = settle
        self._resolve = resolve

    async def __call__(
        self, request: PaymentRequest, deadline: float, on_reserved: OnReserved
    ) -> Answered | StillPending:
        """Pay. `on_reserved` is told once the money is set aside: from there on the payment exists.

        `deadline` is a time of the running event loop. Nothing is begun after it, but what was begun is finished.

        Raises:
            Refusal: the request is refused, and left no trace.
            Unavailable: nothing can be said about what happened.
        """
        try:
            slot = self._gate.enter()
        except GatewayUnavailable:
            # The gate refuses only a key that has no record.
            record = await self._keys.find(request)
            if record is None:
                raise
            return _answered(recorded(request, record))
        with slot:
            result = await self._reserve(request, deadline)
            if not isinstance(result, Reserved):
                return _answered(result)
            on_reserved(result.payment)
            return await self._charge(result.payment, deadline)

    async def _charge(self, payment: Payment, deadline: float) -> Answered | StillPending:
        outcome = await self._gateway.charge(payment, deadline)
        if isinstance(outcome, Unknown):
            return await self._resolve(payment, outcome.why, deadline)
        result = await self._settle(Settlement(payment, outcome))
        if isinstance(result, Answered):
            return result
        return StillPending(result.payment, FailureCode.DEADLINE_EXCEEDED)


def _answered(result: ReserveResult) -> Answered:
    if isinstance(result, Refusal | Unavailable):
        raise result
    assert isinstance(result, Answered), "a payment id belongs to one request, which has just been reserved"
    return result
