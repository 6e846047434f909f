"""Tracing, if the standard variables OTEL_* ask for it. If they do not, nothing of OpenTelemetry is even loaded."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from app.platform.process.settings import InvalidSettings
from app.platform.process.urls import is_url

if TYPE_CHECKING:  # loading it takes 80 ms and 9 MiB, which only those pay who want spans
    from opentelemetry.trace import Tracer

FLUSH_S: Final = 2.0
"""How long a process that ends waits, at most, for a collector to take its last spans."""
_EXPORTERS: Final = ("otlp", "console")
_PROTOCOL: Final = "http/protobuf"
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


@contextmanager
def tracing(process: str, grace_s: float) -> Iterator["Tracer | None"]:
    """The tracer of the process, or None when tracing is off. At the end its spans are sent, well within `grace_s`.

    Raises:
        InvalidSettings: a variable is wrong; the message names it.
    """
    exporters = wanted(os.environ)
    if not exporters:
        yield None
        return
    from app.platform.tracing.setup import InvalidTracing, Tracing  # noqa: PLC0415 -- only when it is wanted

    try:
        begun = Tracing(f"strongbox-{process}", exporters)
    except InvalidTracing as error:
        raise InvalidSettings(f"OTEL_*: {error}") from None
    try:
        yield begun.tracer
    finally:
        begun.end(min(FLUSH_S, grace_s))


def wanted(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The exporters that spans go to; none when tracing is off. An empty variable counts as not set.

    Raises:
        InvalidSettings: a variable names what there is not.
    """
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    if given.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return ()
    endpoints = [name for name in _ENDPOINTS if name in given]
    names = given.get("OTEL_TRACES_EXPORTER", "otlp" if endpoints else "none").lower().split(",")
    exporters = tuple(name.strip() for name in names if name.strip() not in ("", "none"))
    for exporter in exporters:
        if exporter not in _EXPORTERS:
            raise InvalidSettings(f"OTEL_TRACES_EXPORTER: {exporter!r} is none of {', '.join(_EXPORTERS)}, none")
    if "otlp" in exporters:
        # The variables of traces alone come first, and hide those of everything.
        for name in endpoints[:1]:
            if not is_url(given[name], "http", "https"):
                raise InvalidSettings(f"{name} is not an http:// or https:// URL")
        for protocol in [name for name in _PROTOCOLS if name in given][:1]:
            if given[protocol] != _PROTOCOL:
                raise InvalidSettings(f"{protocol}: spans are sent by {_PROTOCOL} only")
    return exporters
