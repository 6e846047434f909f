"""A PRODUCER span for each event that is published, which goes along with its message."""

from collections.abc import Sequence
from dataclasses import replace

from opentelemetry.trace import Span, SpanKind, Tracer

from app.platform.messaging.ports import Confirmed, OutboxMessage, Outcome, Publisher
from app.platform.tracing.context import (
    PAYMENT_ID,
    below,
    document_traceparent,
    failed,
    parent_of,
    sampled,
    traceparent_of,
)


class TracedPublisher:
    """A `Publisher`. `system` is the broker's name, `exchange` where it takes messages."""

    def __init__(self, tracer: Tracer, publisher: Publisher, system: str, exchange: str) -> None:
        self._tracer = tracer
        self._publisher = publisher
        self._system = system
        self._exchange = exchange

    async def publish(self, messages: Sequence[OutboxMessage]) -> Sequence[Outcome]:
        """See `Publisher.publish`."""
        begun = [self._begin(message) for message in messages]
        try:
            outcomes = await self._publisher.publish([message for message, _ in begun])
        except BaseException as error:
            for _, span in begun:
                if span is not None:
                    failed(span, type(error).__name__)
                    span.end()
            raise
        for (_, span), outcome in zip(begun, outcomes, strict=True):
            if span is not None:
                if not isinstance(outcome, Confirmed):
                    failed(span, type(outcome).__name__)
                span.end()
        return outcomes

    def _begin(self, message: OutboxMessage) -> tuple[OutboxMessage, Span | None]:
        """The message with the header that it goes with, and its span, if its trace is sampled."""
        traceparent = document_traceparent(message.body)
        parent = parent_of(traceparent)
        if parent is None:
            return message, None
        if not sampled(parent):
            return replace(message, traceparent=traceparent), None
        destination = f"{self._exchange}:{message.type}"
        span = self._tracer.start_span(
            f"publish {destination}",
            below(parent),
            SpanKind.PRODUCER,
            {
                "messaging.system": self._system,
                "messaging.operation.name": "publish",
                "messaging.operation.type": "send",
                "messaging.destination.name": destination,
                "messaging.message.id": str(message.event_id),
                PAYMENT_ID: str(message.subject),
            },
        )
        return replace(message, traceparent=traceparent_of(span)), span
