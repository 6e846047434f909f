"""Spans around the steps of a payment that commit: around what a caller submits, not around the batch that it joins."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Concatenate, ParamSpec, TypeVar

from opentelemetry.trace import SpanKind, Tracer, get_current_span

from app.contexts.payments.application.pay import Reserving
from app.contexts.payments.application.promise import Promise, Promised
from app.contexts.payments.application.refund_payment import Promising, ResolvingRefund, SettlingRefund
from app.contexts.payments.application.refund_request import RefundPending, RefundRequest
from app.contexts.payments.application.request import PaymentRequest
from app.contexts.payments.application.reserve import Reserved, ReserveResult
from app.contexts.payments.application.resolve import Marking, Resolving, Settling
from app.contexts.payments.application.results import Answered, StillPending
from app.contexts.payments.application.settle_refund import SettledRefund
from app.contexts.payments.domain.outcome import FailureCode
from app.contexts.payments.domain.payment import Payment
from app.contexts.payments.domain.refund import Refund
from app.platform.tracing.context import (
    OUTCOME,
    PAYMENT_ID,
    REFUND_ID,
    below,
    is_sampled,
    parent_of,
    sampled,
    traceparent_of,
    within,
)

C = TypeVar("C")
R = TypeVar("R")
P = ParamSpec("P")


def reserving(tracer: Tracer, submit: Reserving) -> Reserving:
    """Transaction 1. The payment is stored below the request's span: all that becomes of it hangs there."""
    submit = _step(tracer, "reserve", submit)

    async def reserve(request: PaymentRequest, deadline: float) -> ReserveResult:
        span = get_current_span()
        result = await submit(replace(request, traceparent=traceparent_of(span)), deadline)
        if isinstance(result, Reserved) and span.is_recording():
            span.set_attribute(PAYMENT_ID, str(result.payment.id))
        return result

    return reserve


def settling(tracer: Tracer, submit: Settling) -> Settling:
    """Transaction 2."""
    return _step(tracer, "settle", submit)


def marking(tracer: Tracer, submit: Marking) -> Marking:
    """The mark before a void."""
    return _step(tracer, "mark", submit)


def recovering(tracer: Tracer, resolve: Resolving) -> Resolving:
    """Recovery of a payment, in the trace of its request."""

    async def recover(payment: Payment, why: FailureCode, deadline: float) -> Answered | StillPending:
        parent = parent_of(payment.traceparent)
        if not sampled(parent):
            return await resolve(payment, why, deadline)
        span = tracer.start_span("recover", below(parent), attributes={PAYMENT_ID: str(payment.id)})
        with within(span):
            result = await resolve(payment, why, deadline)
            span.set_attribute(OUTCOME, type(result).__name__)
            return result

    return recover


def promising(tracer: Tracer, submit: Promising) -> Promising:
    """Transaction 1 of a refund, which is stored below the request's span."""
    submit = _step(tracer, "promise", submit)

    async def promise(request: RefundRequest, deadline: float) -> Promise:
        span = get_current_span()
        result = await submit(replace(request, traceparent=traceparent_of(span)), deadline)
        if isinstance(result, Promised) and span.is_recording():
            span.set_attribute(REFUND_ID, str(result.refund.id))
        return result

    return promise


def settling_refund(tracer: Tracer, submit: SettlingRefund) -> SettlingRefund:
    """Transaction 2 of a refund."""
    return _step(tracer, "settle_refund", submit)


def recovering_refund(tracer: Tracer, resolve: ResolvingRefund) -> ResolvingRefund:
    """Recovery of a refund, in the trace of its request."""

    async def recover(refund: Refund, why: FailureCode, deadline: float) -> SettledRefund | RefundPending:
        parent = parent_of(refund.traceparent)
        if not sampled(parent):
            return await resolve(refund, why, deadline)
        span = tracer.start_span("recover_refund", below(parent), attributes={REFUND_ID: str(refund.id)})
        with within(span):
            result = await resolve(refund, why, deadline)
            span.set_attribute(OUTCOME, type(result).__name__)
            return result

    return recover


def _step(
    tracer: Tracer, name: str, submit: Callable[Concatenate[C, P], Awaitable[R]]
) -> Callable[Concatenate[C, P], Awaitable[R]]:
    async def step(command: C, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if not is_sampled():
            return await submit(command, *args, **kwargs)
        span = tracer.start_span(name, kind=SpanKind.CLIENT)
        with within(span):
            result = await submit(command, *args, **kwargs)
            span.set_attributes({"db.system.name": "postgresql", OUTCOME: type(result).__name__})
            return result

    return step
