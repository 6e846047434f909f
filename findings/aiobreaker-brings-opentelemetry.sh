#!/bin/sh
# What `import aiobreaker` (1.2.0) loads where redis-py (8.1.0) and OpenTelemetry's SDK (1.45.0) are installed.
#
# Guessed: a circuit breaker whose state is kept in memory loads itself and the standard library.
# Seen:    its package imports its storage for Redis, which imports redis-py if that is there, which imports
#          OpenTelemetry's SDK for metrics if that is there: well over a hundred modules more, and some 10 MiB.
# Matters: each of the three is asked for by another part of a service. A process that only breaks circuits pays for all,
#          and "tracing is off" no longer means that nothing of it is loaded.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check aiobreaker==1.2.0 redis==8.1.0 opentelemetry-sdk==1.45.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys

before = set(sys.modules)
import aiobreaker  # noqa: E402, F401

brought = {name.partition(".")[0] for name in set(sys.modules) - before}
print("redis:", "redis" in brought, "| opentelemetry:", "opentelemetry" in brought, "| SDK:", "opentelemetry.sdk.metrics" in sys.modules)
assert "redis" in brought
assert "opentelemetry.sdk.metrics" in sys.modules
PYTHON
