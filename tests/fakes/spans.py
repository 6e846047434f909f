"""A tracer whose spans a test can look at."""

from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import Tracer

TRACE: Final = "0af7651916cd43dd8448eb211c80319c"
CALLER: Final = "b7ad6b7169203331"
SAMPLED: Final = f"00-{TRACE}-{CALLER}-01"
UNSAMPLED: Final = f"00-{TRACE}-{CALLER}-00"


@dataclass
class Spans:
    """A tracer, and, when called, the spans that have ended."""

    tracer: Tracer
    exporter: InMemorySpanExporter

    def __call__(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())


def recorded(sampler: Sampler | None = None) -> Spans:
    """A tracer that keeps what it is given; without a sampler all of it."""
    provider, exporter = TracerProvider(sampler=sampler, shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Spans(provider.get_tracer("tests"), exporter)


def parent_id(span: ReadableSpan) -> str:
    """The span's parent; empty if it has none."""
    return f"{span.parent.span_id:016x}" if span.parent else ""


def attributes(span: ReadableSpan) -> dict[str, Any]:
    """The span's attributes."""
    return dict(span.attributes or {})
