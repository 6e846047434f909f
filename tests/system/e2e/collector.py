"""A collector: takes spans by OTLP over HTTP, and keeps them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


@dataclass(frozen=True)
class Seen:
    """A span as it arrived. Ids in hexadecimal; a span without a parent has an empty one."""

    service: str
    name: str
    kind: str
    trace_id: str
    id: str
    parent_id: str
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    failed: bool


@dataclass
class Collector:
    """What has arrived. `raw` is every request's body, as it came."""

    url: str
    spans: list[Seen] = field(default_factory=list)
    raw: bytes = b""

    def trace(self, trace_id: str) -> list[Seen]:
        """The spans of a trace, in the order in which they arrived."""
        return [span for span in self.spans if span.trace_id == trace_id]

    def trace_of(self, payment_id: str) -> list[Seen]:
        """The spans of the traces in which the payment is named."""
        traces = {span.trace_id for span in self.spans if span.attributes.get("strongbox.payment.id") == payment_id}
        return [span for span in self.spans if span.trace_id in traces]

    def count(self, payment_id: str, operation: str) -> int:
        """How many spans of that operation, as `process`, are about the payment."""
        about = [span for span in self.spans if span.attributes.get("strongbox.payment.id") == payment_id]
        return sum(span.name.split()[0] == operation for span in about)

    def take(self, body: bytes) -> None:
        """Keep a request's spans."""
        request = ExportTraceServiceRequest.FromString(body)
        self.raw += body
        for resource in request.resource_spans:
            service = _attributes(resource.resource.attributes)["service.name"]
            for scope in resource.scope_spans:
                self.spans += [_seen(service, span) for span in scope.spans]


def tree(spans: list[Seen]) -> list[str]:
    """The spans as lines, each indented below its parent; siblings by name."""
    below: dict[str, list[Seen]] = {}
    for span in spans:
        below.setdefault(span.parent_id, []).append(span)
    ids = {span.id for span in spans}

    def lines(parent: str, depth: int) -> Iterator[str]:
        for span in sorted(below.get(parent, ()), key=lambda span: (span.name, span.service)):
            yield f"{'  ' * depth}{span.kind} {span.name} ({span.service})"
            yield from lines(span.id, depth + 1)

    return [line for parent in sorted(below.keys() - ids) for line in lines(parent, 0)]


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector, for as long as the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/v1/traces"
            collector.take(body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    serving.start()
    try:
        yield collector
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def _seen(service: str, span: Span) -> Seen:
    return Seen(
        service,
        span.name,
        Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        _attributes(span.attributes),
        [(event.name, _attributes(event.attributes)) for event in span.events],
        span.status.code == Status.STATUS_CODE_ERROR,
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    def value(pair: KeyValue) -> Any:
        return getattr(pair.value, pair.value.WhichOneof("value") or "string_value")

    return {pair.key: value(pair) for pair in pairs}
