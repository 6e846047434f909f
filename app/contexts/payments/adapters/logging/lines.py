"""The log lines of a payment on its way, around the ports that it passes, for the API and for recovery alike.

Each has what `docs/operations.md` promises of a payment's lines. The key and the gateway's words are in none.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import structlog

from app.contexts.payments.adapters.shapes import payment_fields
from app.contexts.payments.application.gateway import Gateway
from app.contexts.payments.application.pay import Keys, Reserving
from app.contexts.payments.application.request import PaymentRequest
from app.contexts.payments.application.reserve import Reserved, ReserveResult
from app.contexts.payments.application.resolve import Marking, Settling
from app.contexts.payments.application.results import Answered
from app.contexts.payments.application.settle import Marked, Settlement
from app.contexts.payments.domain.outcome import (
    Absent,
    Approved,
    Declined,
    Mismatched,
    NotSent,
    Outcome,
    Unknown,
    Voided,
)
from app.contexts.payments.domain.payment import Payment, Status
from app.contexts.payments.domain.refusals import KeyInProgress
from app.platform.idempotency.keys import KeyRecord
from app.platform.idempotency.refusals import KeyReused

C = TypeVar("C")
R = TypeVar("R")
P = ParamSpec("P")
Fields = dict[str, Any]


def reserving(submit: Reserving) -> Reserving:
    """Transaction 1: the payment is accepted, or the wallet cannot pay it, or its key has a record."""
    log = structlog.get_logger().bind()
    submit = _bounded("reserve", submit, _of_request)

    async def reserve(request: PaymentRequest, deadline: float) -> ReserveResult:
        began = time.perf_counter()
        result = await submit(request, deadline)
        match result:
            case Reserved(payment):
                log.info("payment_accepted", **payment_fields(payment), latency_ms=_since_ms(began))
            case Answered(replayed=False):
                log.warning("insufficient_funds", **_of_request(request), latency_ms=_since_ms(began))
            case Answered() | KeyInProgress() | KeyReused():
                log.debug("idempotency_hit", **_of_request(request), latency_ms=_since_ms(began))
        return result

    return reserve


class LoggedKeys:
    """`Keys`, which are asked while the gate takes no new payments."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._log = structlog.get_logger().bind()

    async def find(self, request: PaymentRequest) -> KeyRecord[Payment] | None:
        """See `Keys.find`."""
        began = time.perf_counter()
        record = await self._keys.find(request)
        if record is not None:
            self._log.debug("idempotency_hit", **_of_request(request), latency_ms=_since_ms(began))
        return record


def settling(submit: Settling) -> Settling:
    """Transaction 2: the payment is final, if it is this that made it so."""
    log = structlog.get_logger().bind()
    submit = _bounded("settle", submit, lambda settlement: payment_fields(settlement.payment))

    async def settle(settlement: Settlement) -> Answered | Marked:
        began = time.perf_counter()
        result = await submit(settlement)
        if isinstance(result, Answered) and not result.replayed:
            ended = _end_of(settlement.outcome)
            log.info("payment_final", **payment_fields(settlement.payment), **ended, latency_ms=_since_ms(began))
        return result

    return settle


def marking(submit: Marking) -> Marking:
    """The mark before a void."""
    return _bounded("mark", submit, payment_fields)


class LoggedGateway:
    """A `Gateway`, with what came of each call: a decline is a warning, what tells nothing an error."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._log = structlog.get_logger().bind()

    async def charge(self, payment: Payment, deadline: float) -> Approved | Declined | Voided | NotSent | Unknown:
        """See `Gateway.charge`."""
        return await self._call("charge", self._gateway.charge, payment, deadline)

    async def ask(
        self, payment: Payment, deadline: float
    ) -> Approved | Declined | Voided | Absent | Mismatched | Unknown:
        """See `Gateway.ask`."""
        return await self._call("ask", self._gateway.ask, payment, deadline)

    async def void(self, payment: Payment, deadline: float) -> Voided | Declined | Unknown:
        """See `Gateway.void`."""
        return await self._call("void", self._gateway.void, payment, deadline)

    async def _call(
        self, operation: str, call: Callable[[Payment, float], Awaitable[R]], payment: Payment, deadline: float
    ) -> R:
        began = time.perf_counter()
        outcome = await call(payment, deadline)
        fields = payment_fields(payment)
        fields["operation"] = operation
        fields["outcome"] = type(outcome).__name__.lower()
        fields["latency_ms"] = _since_ms(began)
        match outcome:
            case Unknown(why) | NotSent(why):
                self._log.error("gateway_result", **fields, why=why.value)
            case Mismatched():
                self._log.error("gateway_result", **fields)
            case Declined():
                self._log.warning("gateway_result", **fields)
            case _:
                self._log.info("gateway_result", **fields)
        return outcome


def _bounded(
    step: str, submit: Callable[Concatenate[C, P], Awaitable[R]], fields: Callable[[C], Fields]
) -> Callable[Concatenate[C, P], Awaitable[R]]:
    """With the bounds of the command's transaction, as its caller meets them: the wait for its batch is inside."""
    log = structlog.get_logger().bind()
    if not log.is_enabled_for(logging.DEBUG):
        return submit

    async def bounded(command: C, /, *args: P.args, **kwargs: P.kwargs) -> R:
        began = time.perf_counter()
        log.debug("transaction_begins", step=step, **fields(command))
        ended = "raised"
        try:
            result = await submit(command, *args, **kwargs)
            ended = type(result).__name__.lower()
            return result
        finally:
            log.debug("transaction_ends", step=step, **fields(command), result=ended, latency_ms=_since_ms(began))

    return bounded


def _of_request(request: PaymentRequest) -> Fields:
    # Its ids are those of a payment that may not come to be.
    return {
        "user_id": request.user_id,
        "currency": request.money.currency,
        "amount": request.money.amount_minor,
        "provider_id": request.provider_id,
        "external_reference": request.external_reference,
    }


def _end_of(outcome: Outcome) -> Fields:
    match outcome:
        case Approved():
            return {"status": Status.APPROVED.value}
        case Declined():
            return {"status": Status.DECLINED.value}
        case _:
            return {"status": Status.FAILED.value, "failure_code": outcome.why.value}


def _since_ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1e3, 2)
