"""Spans of messages: published and handled, and what is passed on when there are to be none."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pamqp.frame
import pytest
from aiormq import spec
from opentelemetry.trace import SpanKind
from pamqp.header import ContentHeader

from app.contexts.payments.public import EVENTS
from app.platform.messaging.ports import BrokerUnavailable, Confirmed, OutboxMessage, Rejected
from app.platform.rabbitmq.deliveries import Delivered
from app.platform.tracing.consumer import TracedQueue
from app.platform.tracing.publisher import TracedPublisher
from tests.fakes.spans import CALLER, SAMPLED, TRACE, UNSAMPLED, Spans, attributes, parent_id, recorded


@pytest.fixture
def spans() -> Spans:
    return recorded()


# The relay


class TakingPublisher:
    """A broker that answers as planned."""

    def __init__(self, *outcomes: Confirmed | Rejected | Exception) -> None:
        self.outcomes = outcomes
        self.messages: list[OutboxMessage] = []

    async def publish(self, messages: Sequence[OutboxMessage]) -> Sequence[Confirmed | Rejected]:
        self.messages += messages
        for outcome in self.outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        return [outcome for outcome in self.outcomes if not isinstance(outcome, Exception)]


def message(body: bytes | None = None, **members: Any) -> OutboxMessage:
    document = json.dumps({"data": {"traceparent": "of another"}, **members}).encode() if body is None else body
    return OutboxMessage(uuid4(), 1, uuid4(), uuid4(), "payment.created", document, 0, 0)


async def test_a_published_event_has_a_span_below_its_payments_and_takes_it_along(spans: Spans) -> None:
    broker = TakingPublisher(Confirmed(), Rejected("no queue"))
    sent = [message(traceparent=SAMPLED), message(traceparent=SAMPLED)]
    publisher = TracedPublisher(spans.tracer, broker, "rabbitmq", "payments.events")
    assert await publisher.publish(sent) == [Confirmed(), Rejected("no queue")]
    taken, refused = spans()
    assert (taken.name, taken.kind) == ("publish payments.events:payment.created", SpanKind.PRODUCER)
    assert parent_id(taken) == parent_id(refused) == CALLER
    assert attributes(taken)["messaging.message.id"] == str(sent[0].event_id)
    assert (taken.status.is_unset, attributes(refused)["error.type"]) == (True, "Rejected")
    assert [m.traceparent for m in broker.messages] == [
        f"00-{TRACE}-{span.context.span_id:016x}-01" for span in (taken, refused)
    ]
    assert [replace(m, traceparent=None) for m in broker.messages] == sent


async def test_what_no_trace_is_for_is_published_as_it_is(spans: Spans) -> None:
    broker = TakingPublisher(*[Confirmed()] * 5)
    sent = [
        message(traceparent=UNSAMPLED),
        message(),
        message(traceparent="nonsense"),
        message(traceparent=7),
        message(b"\xff not JSON"),
    ]
    await TracedPublisher(spans.tracer, broker, "rabbitmq", "payments.events").publish(sent)
    assert spans() == []
    assert [m.traceparent for m in broker.messages] == [UNSAMPLED, None, None, None, None]


async def test_a_broker_that_is_away_ends_the_spans_too(spans: Spans) -> None:
    publisher = TracedPublisher(spans.tracer, TakingPublisher(BrokerUnavailable("away")), "rabbitmq", "payments.events")
    with pytest.raises(BrokerUnavailable):
        await publisher.publish([message(traceparent=SAMPLED)])
    assert [attributes(span)["error.type"] for span in spans()] == ["BrokerUnavailable"]


# The consumers


def test_a_handled_message_has_a_span_below_the_one_that_it_was_published_with(spans: Spans) -> None:
    event_id, payment_id = uuid4(), uuid4()
    document = json.dumps(
        {"id": str(event_id), "type": "payment.created", "subject": str(payment_id), "traceparent": UNSAMPLED}
    ).encode()
    began_ns = time.time_ns() - 1_000
    TracedQueue(spans.tracer, "rabbitmq", [EVENTS], "audit.queue")([(SAMPLED, document)], began_ns)
    [span] = spans()
    assert (span.name, span.kind) == ("process payments.events:payment.created:audit.queue", SpanKind.CONSUMER)
    assert (parent_id(span), span.start_time, span.status.is_unset) == (CALLER, began_ns, True)
    assert attributes(span)["messaging.message.id"] == str(event_id)
    assert attributes(span)["strongbox.payment.id"] == str(payment_id)


def test_a_message_without_a_header_hangs_below_its_payments_request_and_nothing_foreign_is_told(spans: Spans) -> None:
    tell = TracedQueue(spans.tracer, "rabbitmq", [EVENTS], "audit.queue")
    foreign = json.dumps({"id": "4111", "type": "4111", "subject": "4111", "traceparent": SAMPLED}).encode()
    tell([(None, foreign), ("4111", foreign), (UNSAMPLED, foreign), (None, b"{}"), (None, b"\xff")], 1, "Malformed")
    assert [(span.name, parent_id(span), attributes(span)["error.type"]) for span in spans()] == [
        ("process audit.queue", CALLER, "Malformed")
    ] * 2
    assert all("4111" not in span.to_json() for span in spans())


@pytest.mark.parametrize("headers", [None, {}, {"other": "x", "traceparent": SAMPLED}, {"traceparent": "short"}])
def test_a_messages_trace_is_found_in_its_bytes(headers: dict[str, Any] | None) -> None:
    properties = spec.Basic.Properties(message_id="any", headers=headers)
    frame = pamqp.frame.marshal(ContentHeader(properties=properties), 1)
    wanted = (headers or {}).get("traceparent")
    assert Delivered(1, b"", frame).traceparent == (wanted if wanted == SAMPLED else None)
