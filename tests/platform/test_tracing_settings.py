"""What the OTEL_* variables switch on, what of them is refused, and what a collector that is away costs."""

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping

import pytest
from opentelemetry.sdk.trace import Tracer
from structlog.testing import capture_logs

from app.platform.process.settings import InvalidSettings
from app.platform.tracing.setup import _Seldom
from app.platform.tracing.switch import FLUSH_S, tracing, wanted
from tests.pace import slow

NOWHERE = "http://127.0.0.1:1"
SECRET = "a-key-of-the-collector"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test depends on how this session itself is traced."""
    for name in list(os.environ):
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("environ", "exporters"),
    [
        ({}, ()),
        ({"OTEL_SERVICE_NAME": "payments", "OTEL_TRACES_SAMPLER": "always_on"}, ()),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": NOWHERE}, ("otlp",)),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{NOWHERE}/v1/traces"}, ("otlp",)),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, ("otlp",)),
        ({"OTEL_TRACES_EXPORTER": " Console , otlp"}, ("console", "otlp")),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": NOWHERE}, ()),
        ({"OTEL_TRACES_EXPORTER": "", "OTEL_EXPORTER_OTLP_ENDPOINT": " "}, ()),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "True"}, ()),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "false"}, ("otlp",)),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, ("otlp",)),
        # What the variables of traces alone say hides what is said of everything, metrics of others for one.
        (
            {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"}
            | {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": NOWHERE},
            ("otlp",),
        ),
    ],
)
def test_tracing_is_on_when_the_standard_variables_say_so(
    environ: Mapping[str, str], exporters: tuple[str, ...]
) -> None:
    assert wanted(environ) == exporters


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER: 'zipkin'"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT is not"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "grpc://collector"}, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is not"),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL"),
        ({"OTEL_TRACES_SAMPLER": "sometimes"}, "sampler"),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "1 %"}, "SAMPLER_ARG"),
        ({"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "2"}, "SAMPLER_ARG"),
        ({"OTEL_BSP_MAX_QUEUE_SIZE": "many"}, "OTEL_BSP_MAX_QUEUE_SIZE"),
        ({"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "9999"}, "max_export_batch_size"),
        ({"OTEL_RESOURCE_ATTRIBUTES": SECRET}, "resource attribute"),
        ({"OTEL_EXPORTER_OTLP_HEADERS": SECRET}, "Header"),
        ({"OTEL_EXPORTER_OTLP_COMPRESSION": "brotli"}, "compression"),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "long"}, "timeout"),
    ],
)
def test_a_wrong_variable_stops_the_start_and_is_not_quoted(
    environ: Mapping[str, str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ({"OTEL_EXPORTER_OTLP_ENDPOINT": NOWHERE} | dict(environ)).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings) as refused, tracing("api", 0):
        pass
    assert named in str(refused.value)
    assert "OTEL_" in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("environ", "service"),
    [
        ({}, "strongbox-relay"),
        ({"OTEL_SERVICE_NAME": "mine"}, "mine"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=ours,deployment.environment.name=test"}, "ours"),
    ],
)
def test_a_process_has_a_name_of_its_own_unless_it_is_given_one(
    environ: Mapping[str, str], service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ({"OTEL_TRACES_EXPORTER": "otlp"} | dict(environ)).items():
        monkeypatch.setenv(name, value)
    with tracing("relay", 0) as tracer:
        assert isinstance(tracer, Tracer)
        assert tracer.resource.attributes["service.name"] == service


def test_off_loads_nothing_of_opentelemetry() -> None:
    look = (
        "from app.platform.process.absent import do_without; do_without();"
        " import sys, app.main.commands.processes, app.main.house, app.main.api, app.main.worker, app.main.relay,"
        " app.contexts.payments.processes,"
        " consumers.cli; print([name for name in sys.modules if name.startswith(('opentelemetry', 'google'))])"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout == "[]\n"


def test_a_collector_that_is_away_is_told_of_once_and_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"{NOWHERE}/{SECRET}")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "4")
    with capture_logs() as logs:
        with tracing("api", 0.2) as tracer:
            assert tracer is not None
            until = time.monotonic() + 120
            while not logs and time.monotonic() < until:
                tracer.start_span("lost").end()
            for _ in range(100):
                tracer.start_span("lost").end()
            began = time.monotonic()
        assert time.monotonic() - began < slow(FLUSH_S)
    assert [(line["event"], line["log_level"]) for line in logs] == [("spans_lost", "warning")] * 2
    assert SECRET not in str(logs)


def test_of_an_error_that_opentelemetry_complains_of_the_log_has_the_kind_alone() -> None:
    complaint = {"msg": "Failed over %s: %s", "args": (3, ValueError(SECRET))}
    with capture_logs() as logs:
        _Seldom().handle(logging.makeLogRecord(complaint))
    assert logs == [{"event": "spans_lost", "reason": "Failed over 3: ValueError", "log_level": "warning"}]


def test_the_console_takes_spans_for_those_who_have_no_collector() -> None:
    do = (
        "from app.platform.tracing.switch import tracing\n"
        "with tracing('api', 1) as tracer: tracer.start_span('seen').end()"
    )
    environ = os.environ | {"OTEL_TRACES_EXPORTER": "console"}
    done = subprocess.run(
        [sys.executable, "-c", do], env=environ, capture_output=True, text=True, check=True, timeout=300
    )
    assert json.loads(done.stdout)["name"] == "seen"
