"""Which spans requests and steps make, and below which parent."""

import asyncio
from collections.abc import Sequence

import pytest
import structlog
from opentelemetry.trace import SpanKind
from structlog.testing import capture_logs

from app.contexts.payments.adapters.tracing.gateway import TracedGateway
from app.contexts.payments.adapters.tracing.steps import recovering, reserving, settling
from app.contexts.payments.application.request import PaymentRequest
from app.contexts.payments.application.reserve import Reserved, ReserveResult
from app.contexts.payments.application.results import Answered, StillPending
from app.contexts.payments.application.settle import Marked, Settlement
from app.contexts.payments.domain.outcome import Approved, FailureCode
from app.contexts.payments.domain.payment import Payment
from app.kernel.errors import Unavailable
from app.platform.postgres.lanes import Lane
from app.platform.tracing.context import parent_of, within
from app.platform.tracing.requests import TracedRequests
from tests.builders import payment, payment_request
from tests.fakes.gateway import FakeGateway
from tests.fakes.spans import CALLER, SAMPLED, TRACE, UNSAMPLED, Spans, attributes, parent_id
from tests.payments.tracing_fixtures import NEVER, clean_log_context, spans

__all__ = ["clean_log_context", "spans"]


# Requests


def test_a_request_goes_on_in_the_trace_it_brings_and_its_log_lines_name_it(spans: Spans) -> None:
    end = TracedRequests(spans.tracer)("POST", SAMPLED, "request-1")
    assert structlog.contextvars.get_contextvars()["trace_id"] == TRACE
    end("/wallets/{user_id}/payments", 201)
    [span] = spans()
    assert (span.name, span.kind) == ("POST /wallets/{user_id}/payments", SpanKind.SERVER)
    assert parent_id(span) == CALLER
    assert attributes(span) == {
        "http.request.method": "POST",
        "http.response.status_code": 201,
        "http.route": "/wallets/{user_id}/payments",
        "url.scheme": "http",
        "strongbox.request.id": "request-1",
    }
    assert span.status.is_unset


def test_a_request_without_a_trace_begins_one_even_inside_of_another_request(spans: Spans) -> None:
    begin = TracedRequests(spans.tracer)
    outer = begin("GET", None, "1")
    begin("GET", None, "2")("/healthz", 200)
    outer(None, 404)
    inner_span, outer_span = spans()
    assert inner_span.parent is None
    assert outer_span.parent is None
    assert (inner_span.name, outer_span.name) == ("GET /healthz", "GET")


def test_a_method_that_is_none_makes_no_names(spans: Spans) -> None:
    TracedRequests(spans.tracer)("BREW", None, "1")(None, 405)
    [span] = spans()
    assert (span.name, attributes(span)["http.request.method"]) == ("HTTP", "_OTHER")


def test_what_fails_here_is_an_error_and_what_the_client_got_wrong_is_not(spans: Spans) -> None:
    begin = TracedRequests(spans.tracer)
    begin("POST", None, "1")("/wallets/{user_id}/payments", 409)
    begin("POST", None, "2")("/wallets/{user_id}/payments", 504)
    assert [(span.status.is_ok, attributes(span).get("error.type")) for span in spans()] == [
        (True, None),
        (False, "504"),
    ]


# Steps


async def test_commands_of_one_batch_keep_their_own_traces(spans: Spans) -> None:
    batches: list[Sequence[PaymentRequest]] = []

    async def run(requests: Sequence[PaymentRequest]) -> Sequence[ReserveResult]:
        batches.append(requests)
        return [Reserved(payment(id=request.payment_id, traceparent=request.traceparent)) for request in requests]

    async def nothing() -> None: ...

    lane: Lane[PaymentRequest, ReserveResult] = Lane(run, size=8, queue_limit=8, on_lost=nothing)
    reserve = reserving(spans.tracer, lane.submit)
    begin = TracedRequests(spans.tracer)

    async def one(request: PaymentRequest) -> str | None:
        end = begin("POST", None, "1")
        result = await reserve(request, NEVER)
        end(None, 201)
        assert isinstance(result, Reserved)
        return result.payment.traceparent

    requests = [payment_request(traceparent=SAMPLED) for _ in range(3)]
    stored = await asyncio.gather(*(asyncio.create_task(one(request)) for request in requests))
    assert [len(batch) for batch in batches] == [3]
    servers = {span.context.trace_id: span for span in spans() if span.kind is SpanKind.SERVER}
    steps = [span for span in spans() if span.name == "reserve"]
    assert len(servers) == len(steps) == 3
    for step in steps:
        assert parent_id(step) == f"{servers[step.context.trace_id].context.span_id:016x}"
    # The payment is stored below its request's span, not below the step's.
    ids = {span.context.span_id for span in servers.values()}
    assert {getattr(parent_of(traceparent), "span_id", None) for traceparent in stored} == ids
    named = {attributes(span)["strongbox.payment.id"] for span in servers.values()}
    assert named == {str(request.payment_id) for request in requests}


async def test_what_is_done_after_the_answer_is_in_the_trace_too(spans: Spans) -> None:
    answered = asyncio.Event()

    async def submit(request: PaymentRequest, _: float) -> ReserveResult:
        await answered.wait()
        return Reserved(payment(id=request.payment_id))

    async def go_on() -> None:
        await reserving(spans.tracer, submit)(payment_request(), NEVER)
        await TracedGateway(spans.tracer, FakeGateway(), "http://g").charge(payment(), NEVER)

    end = TracedRequests(spans.tracer)("POST", SAMPLED, "1")
    going_on = asyncio.create_task(go_on())
    end(None, 504)
    answered.set()
    with capture_logs() as logs:
        await going_on
    assert [span.name for span in spans()] == ["POST", "reserve", "POST /charges"]
    assert {span.context.trace_id for span in spans()} == {int(TRACE, 16)}
    assert logs == []


async def test_a_step_that_raises_is_an_error_of_that_kind_and_quotes_nothing(spans: Spans) -> None:
    async def submit(_: Settlement) -> Answered | Marked:
        raise Unavailable("4111111111111111")

    with pytest.raises(Unavailable), within(spans.tracer.start_span("request")):
        await settling(spans.tracer, submit)(Settlement(payment(), Approved()))
    step = spans()[0]
    assert (step.name, attributes(step)["error.type"], step.events) == ("settle", "Unavailable", ())
    assert "4111" not in step.to_json()


async def test_recovery_goes_on_in_the_trace_of_the_payment_and_leaves_the_others_alone(spans: Spans) -> None:
    async def resolve(payment: Payment, why: FailureCode, deadline: float) -> Answered | StillPending:
        return StillPending(payment, why)

    recover = recovering(spans.tracer, resolve)
    for traceparent in (SAMPLED, UNSAMPLED, None, "nonsense"):
        await recover(payment(traceparent=traceparent), FailureCode.GATEWAY_TIMEOUT, NEVER)
    [span] = spans()
    assert (span.name, parent_id(span), attributes(span)["strongbox.outcome"]) == ("recover", CALLER, "StillPending")
