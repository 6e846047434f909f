#!/bin/sh
# What prometheus_client's choose_encoder makes of an Accept header (0.26.0).
#
# Guessed: it chooses among the formats that it can write, by the client's preference, and says which one it wrote.
# Seen:    a version of OpenMetrics that there is not is declared as asked for, over a text that is the same as for 1.0.0;
#          preferences (q=) are passed by, so that OpenMetrics wins at q=0.1 over text at q=0.5; and CONTENT_TYPE_LATEST,
#          which old examples send with generate_latest(), declares the text format 1.0.0 to clients that asked for 0.0.4.
# Matters: a scraper parses by the declared version. Serving one fixed format, under its own name, is the safe answer.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check prometheus_client==0.26.0
"$folder/venv/bin/python" - <<'PYTHON'
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter
from prometheus_client.exposition import choose_encoder

registry = CollectorRegistry()
Counter("payments", "Counted.", registry=registry).inc()


def answer(accept):
    encode, content_type = choose_encoder(accept)
    lines = [line for line in encode(registry).decode().splitlines() if "_created" not in line]
    return content_type.partition("; charset")[0], lines


of_one, text_of_one = answer("application/openmetrics-text;version=1.0.0")
of_seven, text_of_seven = answer("application/openmetrics-text;version=7.0.0")
unwanted, _ = answer("text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.1")
print("asked for OpenMetrics 7.0.0:", of_seven, "| same text as 1.0.0:", text_of_one == text_of_seven)
print("asked for text at 0.5, OpenMetrics at 0.1:", unwanted)
print("CONTENT_TYPE_LATEST:", CONTENT_TYPE_LATEST)
assert of_one == "application/openmetrics-text; version=1.0.0"
assert of_seven == "application/openmetrics-text; version=7.0.0"
assert text_of_one == text_of_seven
assert unwanted == "application/openmetrics-text; version=1.0.0"
assert CONTENT_TYPE_LATEST == "text/plain; version=1.0.0; charset=utf-8"
PYTHON
