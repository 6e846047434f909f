"""The log lines of a refund on its way, around the ports that it passes, for the API and for recovery alike."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from app.contexts.payments.adapters.shapes import refund_fields
from app.contexts.payments.application.promise import Promise, Promised
from app.contexts.payments.application.refund_payment import Promising, RefundGateway, SettlingRefund
from app.contexts.payments.application.refund_request import RefundRequest
from app.contexts.payments.application.settle_refund import RefundSettlement, SettledRefund
from app.contexts.payments.domain.outcome import Absent, RefundOutcome, RefundRefused, Unknown
from app.contexts.payments.domain.refund import Refund

R = TypeVar("R")


def promising(submit: Promising) -> Promising:
    """Transaction 1: the refund is promised."""
    log = structlog.get_logger().bind()

    async def promise(request: RefundRequest, deadline: float) -> Promise:
        began = time.perf_counter()
        result = await submit(request, deadline)
        if isinstance(result, Promised):
            log.info("refund_promised", **refund_fields(result.refund), latency_ms=_since_ms(began))
        return result

    return promise


def settling(submit: SettlingRefund) -> SettlingRefund:
    """Transaction 2: the refund is final, if it is this that made it so."""
    log = structlog.get_logger().bind()

    async def settle(settlement: RefundSettlement) -> SettledRefund:
        began = time.perf_counter()
        result = await submit(settlement)
        if not result.before:
            status = result.refund.status.value
            log.info("refund_final", **refund_fields(result.refund), status=status, latency_ms=_since_ms(began))
        return result

    return settle


class LoggedRefundGateway:
    """A `RefundGateway`, with what came of each call: a refusal is a warning, what tells nothing an error."""

    def __init__(self, gateway: RefundGateway) -> None:
        self._gateway = gateway
        self._log = structlog.get_logger().bind()

    async def refund(self, refund: Refund, deadline: float) -> RefundOutcome | Unknown:
        """See `RefundGateway.refund`."""
        return await self._call("refund", self._gateway.refund, refund, deadline)

    async def ask(self, refund: Refund, deadline: float) -> RefundOutcome | Absent | Unknown:
        """See `RefundGateway.ask`."""
        return await self._call("ask_refund", self._gateway.ask, refund, deadline)

    async def repeat(self, refund: Refund, deadline: float) -> RefundOutcome | Unknown:
        """See `RefundGateway.repeat`."""
        return await self._call("refund", self._gateway.repeat, refund, deadline)

    async def _call(
        self, operation: str, call: Callable[[Refund, float], Awaitable[R]], refund: Refund, deadline: float
    ) -> R:
        began = time.perf_counter()
        outcome = await call(refund, deadline)
        fields = refund_fields(refund)
        fields["operation"] = operation
        fields["outcome"] = type(outcome).__name__.lower()
        fields["latency_ms"] = _since_ms(began)
        match outcome:
            case Unknown(why):
                self._log.error("gateway_result", **fields, why=why.value)
            case RefundRefused():
                self._log.warning("gateway_result", **fields)
            case _:
                self._log.info("gateway_result", **fields)
        return outcome


def _since_ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1e3, 2)
