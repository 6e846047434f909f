"""Which spans calls of the gateway make, what these tell of attempts, and below which parent."""

from typing import Any

import httpx
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import INVALID_SPAN_CONTEXT, NonRecordingSpan, SpanKind

from app.contexts.payments.adapters.tracing.gateway import TracedGateway, TracedTransport
from app.contexts.payments.domain.outcome import Approved, FailureCode, Unknown
from app.contexts.payments.domain.payment import Payment
from app.platform.tracing.context import parent_of, traceparent_of, within
from app.platform.tracing.requests import TracedRequests
from tests.builders import payment
from tests.fakes.gateway import FakeGateway
from tests.fakes.spans import CALLER, SAMPLED, TRACE, UNSAMPLED, Spans, attributes, recorded
from tests.payments.tracing_fixtures import NEVER, clean_log_context, spans

__all__ = ["clean_log_context", "spans"]


async def test_a_call_of_the_gateway_has_its_attempts_as_events_and_is_the_gateways_parent(spans: Spans) -> None:
    sent: list[str] = []
    answers: list[int | None] = [None, 503, 201]

    async def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["traceparent"])
        status = answers.pop(0)
        if status is None:
            raise httpx.ReadTimeout("silence")
        return httpx.Response(status)

    transport = TracedTransport(httpx.MockTransport(answer))

    class Persistent(FakeGateway):
        async def charge(self, payment: Payment, deadline: float) -> Any:
            for _ in range(3):
                request = httpx.Request("POST", "http://g/", headers={"traceparent": str(payment.traceparent)})
                try:
                    await transport.handle_async_request(request)
                except httpx.ReadTimeout:
                    continue
            return Approved()

    gateway = TracedGateway(spans.tracer, Persistent(), "https://user:pass@gateway.example/base")
    with within(spans.tracer.start_span("request")):
        await gateway.charge(payment(traceparent=SAMPLED), NEVER)
    call = spans()[0]
    assert (call.name, call.kind) == ("POST /charges", SpanKind.CLIENT)
    assert [dict(event.attributes or {}) for event in call.events] == [
        {"error.type": "ReadTimeout"},
        {"http.response.status_code": 503},
        {"http.response.status_code": 201},
    ]
    assert set(sent) == {traceparent_of(NonRecordingSpan(call.context))}
    assert attributes(call)["server.address"] == "gateway.example"
    assert attributes(call)["server.port"] == 443
    assert "pass" not in call.to_json()


async def test_an_unknown_outcome_is_an_error(spans: Spans) -> None:
    class Silent(FakeGateway):
        async def ask(self, payment: Payment, deadline: float) -> Any:
            return Unknown(FailureCode.GATEWAY_TIMEOUT)

    with within(spans.tracer.start_span("request")):
        await TracedGateway(spans.tracer, Silent(), "http://g").ask(payment(), NEVER)
    assert (spans()[0].name, attributes(spans()[0])["error.type"]) == ("GET /charges/{payment_id}", "GATEWAY_TIMEOUT")


async def test_without_a_span_the_payments_own_trace_is_sent() -> None:
    seen: list[str | None] = []

    class Watching(FakeGateway):
        async def void(self, payment: Payment, deadline: float) -> Any:
            seen.append(payment.traceparent)
            return Unknown(FailureCode.GATEWAY_TIMEOUT)

    spans = recorded(ParentBased(ALWAYS_OFF))
    end = TracedRequests(spans.tracer)("POST", UNSAMPLED, "1")
    await TracedGateway(spans.tracer, Watching(), "http://g").void(payment(traceparent=UNSAMPLED), NEVER)
    end(None, 201)
    assert seen == [UNSAMPLED]
    assert spans() == []


def test_a_header_that_is_none_names_no_parent() -> None:
    for wrong in (
        None,
        "",
        f"00-{'0' * 32}-{CALLER}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{CALLER}-01",
        f"{SAMPLED}\n",
        SAMPLED.upper(),
    ):
        assert parent_of(wrong) is None
    assert traceparent_of(NonRecordingSpan(parent_of(SAMPLED) or INVALID_SPAN_CONTEXT)) == SAMPLED
