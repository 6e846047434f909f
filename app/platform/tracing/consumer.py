"""A CONSUMER span for each message that was handled, below the span with which it was published."""

import time
from collections.abc import Iterable, Sequence
from typing import Annotated, Final
from uuid import UUID

import msgspec
from opentelemetry.trace import SpanKind, Tracer

from app.kernel.topology import Exchange, exchange_of
from app.platform.tracing.context import PAYMENT_ID, Attributes, below, document_traceparent, failed, parent_of, sampled


class _Event(msgspec.Struct, gc=False):
    """What is told of a message: nothing of one that only looks like an event, whose ids may be anything."""

    id: UUID
    type: Annotated[str, msgspec.Meta(pattern=r"\A[a-z]{1,20}\.[a-z_]{1,20}\Z")]
    subject: UUID


_decode: Final = msgspec.json.Decoder(_Event).decode


class TracedQueue:
    """Is told of messages when they are handled. `system` is the broker's name, the exchanges feed the queue."""

    def __init__(self, tracer: Tracer, system: str, exchanges: Sequence[Exchange], queue: str) -> None:
        self._tracer = tracer
        self._system = system
        self._exchanges = exchanges
        self._queue = queue

    def __call__(self, messages: Iterable[tuple[str | None, bytes]], began_ns: int, error: str | None = None) -> None:
        """Tell of messages, each by its `traceparent` header and its document, handled from then (`time.time_ns()`)
        until now; `error` is what kind of thing went wrong."""
        ended_ns = time.time_ns()
        for traceparent, document in messages:
            # The relay's tracing may have been off, or the message be replayed: the document has its payment's.
            parent = parent_of(traceparent) or parent_of(document_traceparent(document))
            if not sampled(parent):
                continue
            destination, about = self._about(document)
            span = self._tracer.start_span(
                f"process {destination}", below(parent), SpanKind.CONSUMER, about, start_time=began_ns
            )
            if error is not None:
                failed(span, error)
            span.end(ended_ns)

    def _about(self, document: bytes) -> tuple[str, Attributes]:
        destination, ids = self._queue, Attributes()
        try:
            event = _decode(document)
        except (ValueError, RecursionError):  # every msgspec error is a ValueError
            pass
        else:
            exchange = exchange_of(self._exchanges, self._queue, event.type)
            destination = ":".join(filter(None, (exchange, event.type, self._queue)))
            ids = {"messaging.message.id": str(event.id), PAYMENT_ID: str(event.subject)}
        return destination, ids | {
            "messaging.system": self._system,
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": destination,
        }
