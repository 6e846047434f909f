"""Where spans go, which of them, and as whose: all of it by the standard variables, read by OpenTelemetry itself."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Final

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter

COMPLAIN_EVERY_S: Final = 60.0
_EXPORTERS: Final[Mapping[str, Callable[[], SpanExporter]]] = {"otlp": OTLPSpanExporter, "console": ConsoleSpanExporter}

_log = structlog.get_logger(__name__)


class InvalidTracing(Exception):  # noqa: N818 -- the message says why
    """OpenTelemetry cannot make sense of a variable. No value is quoted: keys are in some."""


class Tracing:
    """A process's tracer, and the threads that send its spans. `service` is its name unless the variables give one."""

    def __init__(self, service: str, exporters: Sequence[str]) -> None:
        with _strict():
            # Our own provider, not the global one: only what is wired here makes spans, no library behind our back.
            self._provider = TracerProvider(resource=_resource(service), shutdown_on_exit=False)
            for name in exporters:
                self._provider.add_span_processor(BatchSpanProcessor(_EXPORTERS[name]()))
        self.tracer = self._provider.get_tracer("strongbox", version("strongbox"))

    def end(self, within_s: float) -> None:
        """Send what is left. A collector that takes longer gets no more of it: the process ends."""
        ending = threading.Thread(target=self._provider.shutdown, name="last-spans", daemon=True)
        ending.start()
        ending.join(within_s)
        if ending.is_alive():
            _log.warning("spans_lost", reason=f"they were not taken within {within_s:g} s")


class _Resource(Resource):
    """A resource whose hash is made once: the exporter asks for it with each span, and it is that of a JSON text."""

    def __init__(self, found: Resource) -> None:
        super().__init__(found.attributes, found.schema_url)
        self._hash = super().__hash__()

    def __hash__(self) -> int:
        return self._hash


def _resource(service: str) -> Resource:
    found = Resource.create({SERVICE_VERSION: version("strongbox")})
    if str(found.attributes[SERVICE_NAME]).startswith("unknown_service"):
        found = found.merge(Resource({SERVICE_NAME: service}))
    return _Resource(found)


@contextmanager
def _strict() -> Iterator[None]:
    """Take for an error what OpenTelemetry only warns of while it reads its variables: a sampler's wrong share, say,
    means all of them. From then on its complaints are ours to tell."""
    logger = logging.getLogger("opentelemetry")
    logger.propagate = False
    heard = _Heard()
    logger.handlers = [heard]
    try:
        yield
    except (ValueError, RuntimeError, ImportError) as error:
        raise InvalidTracing(str(error)) from None
    finally:
        logger.handlers = [_Seldom()]
    if heard.complaints:
        raise InvalidTracing(heard.complaints[0])


class _Heard(logging.Handler):
    """Notes what is complained of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.complaints: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        values = [value.lower() for name, value in os.environ.items() if name.startswith("OTEL_")]
        said = (str(argument) for argument in (record.args if isinstance(record.args, tuple) else ()))
        quoted = tuple("…" if any(word.lower() in value for value in values) else word for word in said)
        self.complaints.append(str(record.msg) % quoted)


class _Seldom(logging.Handler):
    """Logs the first complaint of a minute: while a collector is away there are some with each batch."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._next_at = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        now = time.monotonic()
        if now < self._next_at:
            return
        self._next_at = now + COMPLAIN_EVERY_S
        # Of an error its kind: its text has the collector's URL, with what may be a key in it.
        said = record.args if isinstance(record.args, tuple) else ()
        quoted = tuple(type(word).__name__ if isinstance(word, Exception) else word for word in said)
        _log.warning("spans_lost", reason=str(record.msg) % quoted)
