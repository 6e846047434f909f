"""W3C trace context, in and out, and what all spans have in common."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.util.types import AttributeValue

PAYMENT_ID: Final = "strongbox.payment.id"
REFUND_ID: Final = "strongbox.refund.id"
OUTCOME: Final = "strongbox.outcome"
ERROR_TYPE: Final = "error.type"

Attributes = dict[str, AttributeValue]

_TRACEPARENT: Final = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


class _Document(msgspec.Struct, gc=False):
    traceparent: str | None = None


_decode: Final = msgspec.json.Decoder(_Document).decode


def document_traceparent(document: bytes) -> str | None:
    """The trace context in an event's document, whatever else is in it."""
    try:
        return _decode(document).traceparent
    except (ValueError, RecursionError):  # every msgspec error is a ValueError
        return None


def parent_of(traceparent: str | None) -> SpanContext | None:
    """The span that the header names, if it is one."""
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if found is None:
        return None
    trace_id, span_id, flags = (int(part, 16) for part in found.groups())
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))


def below(parent: SpanContext | None) -> Context:
    """The context of what happens below that span; without one a trace begins."""
    return Context() if parent is None else set_span_in_context(NonRecordingSpan(parent), Context())


def sampled(parent: SpanContext | None) -> bool:
    """Whether there is a trace to go on in, and spans of it are wanted.

    That is decided where a trace begins, at a request. Behind it the flag is all that counts, so that a payment's spans
    are all there or none, and one without costs next to nothing.
    """
    return parent is not None and parent.trace_flags.sampled


def is_sampled() -> bool:
    """Whether what is done here is part of a trace whose spans are wanted. Its request may be answered already."""
    return get_current_span().get_span_context().trace_flags.sampled


def traceparent_of(span: Span) -> str:
    """The header that names the span."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def failed(span: Span, kind: str) -> None:
    """Mark the span as failed. Of an exception its kind alone is told: messages may quote what they are about."""
    span.set_attribute(ERROR_TYPE, kind)
    span.set_status(StatusCode.ERROR)


@contextmanager
def within(span: Span) -> Iterator[None]:
    """Do something in the span's context: it ends with that, as failed if that raises."""
    token = attach(set_span_in_context(span))
    try:
        yield
    except BaseException as error:
        failed(span, type(error).__name__)
        raise
    finally:
        detach(token)
        span.end()
