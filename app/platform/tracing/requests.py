"""A SERVER span for each request."""

from collections.abc import Callable
from typing import Final

import structlog
from opentelemetry.context import attach, detach
from opentelemetry.trace import SpanKind, Tracer, format_trace_id, set_span_in_context

from app.platform.tracing.context import below, failed, parent_of

_METHODS: Final = frozenset(("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"))


class TracedRequests:
    """Follows requests: what is done for one is done in its span's context, and its log lines have its trace's id."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def __call__(self, method: str, traceparent: str | None, request_id: str) -> Callable[[str | None, int], None]:
        """Begin a request; the answer ends it, told the template of its route, if it has one, and its status."""
        known = method in _METHODS
        name = method if known else "HTTP"
        # Not the running context: a pipelined request begins in that of the one before.
        span = self._tracer.start_span(name, below(parent_of(traceparent)), SpanKind.SERVER)
        structlog.contextvars.bind_contextvars(trace_id=format_trace_id(span.get_span_context().trace_id))
        token = attach(set_span_in_context(span))

        def end(route: str | None, status: int) -> None:
            detach(token)
            if not span.is_recording():
                return
            span.set_attributes(
                {
                    "http.request.method": method if known else "_OTHER",
                    "http.response.status_code": status,
                    "url.scheme": "http",
                    "strongbox.request.id": request_id,
                }
            )
            if route is not None:
                span.update_name(f"{name} {route}")
                span.set_attribute("http.route", route)
            if status >= 500:
                failed(span, str(status))
            span.end()

        return end
