"""A CLIENT span for each charge, refund, question and void, with an event for each attempt at it."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from urllib.parse import urlsplit

import httpx
from opentelemetry.trace import SpanKind, Tracer, get_current_span

from app.contexts.payments.application.gateway import Gateway
from app.contexts.payments.application.refund_payment import RefundGateway
from app.contexts.payments.domain.outcome import (
    Absent,
    Approved,
    Declined,
    Mismatched,
    NotSent,
    RefundOutcome,
    Unknown,
    Voided,
)
from app.contexts.payments.domain.payment import Payment
from app.contexts.payments.domain.refund import Refund
from app.platform.tracing.context import (
    ERROR_TYPE,
    OUTCOME,
    PAYMENT_ID,
    REFUND_ID,
    Attributes,
    failed,
    is_sampled,
    traceparent_of,
    within,
)

T = TypeVar("T")


_REFUNDS: Final = "/charges/{payment_id}/refunds"


class Calls:
    """Spans around calls of the gateway at a URL."""

    def __init__(self, tracer: Tracer, base_url: str) -> None:
        self._tracer = tracer
        url = urlsplit(base_url)
        port = url.port or (443 if url.scheme == "https" else 80)
        self._server: Attributes = {"server.address": url.hostname or "", "server.port": port}

    async def spanned(
        self, method: str, template: str, about: Attributes, call: Callable[[str | None], Awaitable[T]]
    ) -> T:
        """The call's outcome, told the `traceparent` of its span: what the gateway traces comes below it."""
        span = self._tracer.start_span(f"{method} {template}", kind=SpanKind.CLIENT)
        with within(span):
            outcome = await call(traceparent_of(span))
            span.set_attributes(
                {
                    "http.request.method": method,
                    "url.template": template,
                    OUTCOME: type(outcome).__name__,
                    **about,
                    **self._server,
                }
            )
            if isinstance(outcome, Unknown | NotSent):
                failed(span, outcome.why.value)
            return outcome


class TracedGateway:
    """A `Gateway`, each of whose calls has a span."""

    def __init__(self, tracer: Tracer, gateway: Gateway, base_url: str) -> None:
        self._gateway = gateway
        self._calls = Calls(tracer, base_url)

    async def charge(self, payment: Payment, deadline: float) -> Approved | Declined | Voided | NotSent | Unknown:
        """See `Gateway.charge`."""
        return await self._call("POST", "/charges", self._gateway.charge, payment, deadline)

    async def ask(
        self, payment: Payment, deadline: float
    ) -> Approved | Declined | Voided | Absent | Mismatched | Unknown:
        """See `Gateway.ask`."""
        return await self._call("GET", "/charges/{payment_id}", self._gateway.ask, payment, deadline)

    async def void(self, payment: Payment, deadline: float) -> Voided | Declined | Unknown:
        """See `Gateway.void`."""
        return await self._call("POST", "/charges/{payment_id}/void", self._gateway.void, payment, deadline)

    async def _call(
        self,
        method: str,
        template: str,
        call: Callable[[Payment, float], Awaitable[T]],
        payment: Payment,
        deadline: float,
    ) -> T:
        if not is_sampled():
            return await call(payment, deadline)

        def below(traceparent: str | None) -> Awaitable[T]:
            return call(payment._replace(traceparent=traceparent), deadline)

        return await self._calls.spanned(method, template, {PAYMENT_ID: str(payment.id)}, below)


class TracedRefunds:
    """A `RefundGateway`, likewise."""

    def __init__(self, tracer: Tracer, gateway: RefundGateway, base_url: str) -> None:
        self._gateway = gateway
        self._calls = Calls(tracer, base_url)

    async def refund(self, refund: Refund, deadline: float) -> RefundOutcome | Unknown:
        """See `RefundGateway.refund`."""
        return await self._call("POST", _REFUNDS, self._gateway.refund, refund, deadline)

    async def ask(self, refund: Refund, deadline: float) -> RefundOutcome | Absent | Unknown:
        """See `RefundGateway.ask`."""
        return await self._call("GET", f"{_REFUNDS}/{{refund_id}}", self._gateway.ask, refund, deadline)

    async def repeat(self, refund: Refund, deadline: float) -> RefundOutcome | Unknown:
        """See `RefundGateway.repeat`."""
        return await self._call("POST", _REFUNDS, self._gateway.repeat, refund, deadline)

    async def _call(
        self, method: str, template: str, call: Callable[[Refund, float], Awaitable[T]], refund: Refund, deadline: float
    ) -> T:
        if not is_sampled():
            return await call(refund, deadline)

        def below(traceparent: str | None) -> Awaitable[T]:
            return call(refund._replace(traceparent=traceparent), deadline)

        about: Attributes = {PAYMENT_ID: str(refund.payment_id), REFUND_ID: str(refund.id)}
        return await self._calls.spanned(method, template, about, below)


class TracedTransport(httpx.AsyncBaseTransport):
    """Notes each request that the gateway is sent, and how it went, on the span of the call that sends it."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request."""
        if not is_sampled():
            return await self._transport.handle_async_request(request)
        span = get_current_span()
        try:
            response = await self._transport.handle_async_request(request)
        except BaseException as error:
            span.add_event("attempt", {ERROR_TYPE: type(error).__name__})
            raise
        span.add_event("attempt", {"http.response.status_code": response.status_code})
        return response

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()
