#!/bin/sh
# What schemathesis holds an answer of text/event-stream to (4.32.5).
#
# Guessed: a media type's schema is that of the body, so that a stream of events, which is text, is {"type": "string"}.
# Seen:    the events are parsed, and in OpenAPI 3.1 the schema is that of each: an object of id, event and data, all of
#          them text. In 3.2 the same schema is that of all events, as an array, and each is described by itemSchema. Text
#          is right in neither, and what is right in 3.1 is refused in 3.2.
# Matters: whoever says "string" has a document that no event fits, and whoever only raises the version of one that was
#          right is told that it is wrong.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check schemathesis==4.32.5
"$folder/venv/bin/python" - "$folder/venv/bin/schemathesis" <<'PYTHON'
import json
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

STREAM = b"retry: 1000\n\nid: 1\nevent: opened\ndata: {}\n\nid: 2\nevent: bid\ndata: {}\n\n"
TEXT = {"type": "string"}
EVENT = {"type": "object", "required": ["id", "event", "data"], "additionalProperties": False,
         "properties": {"id": TEXT, "event": {"enum": ["opened", "bid"]}, "data": TEXT}}
ALL = {"type": "array", "items": EVENT}


class Told(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(self.server.document).encode() if self.path == "/openapi.json" else STREAM
        self.send_response(200)
        self.send_header("Content-Type", "application/json" if self.path == "/openapi.json" else "text/event-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def complaints(version, media_type):
    answers = {"200": {"description": "Events.", "content": {"text/event-stream": media_type}}}
    server = HTTPServer(("127.0.0.1", 0), Told)
    server.document = {"openapi": version, "info": {"title": "Events", "version": "1"},
                       "paths": {"/events": {"get": {"operationId": "watch", "responses": answers}}}}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/openapi.json"
    done = subprocess.run([sys.argv[1], "run", url, "--checks", "response_schema_conformance", "--phases", "coverage"],
                          capture_output=True, text=True, timeout=120)
    server.shutdown()
    return done.returncode, sorted(set(re.findall(r"^- ST\d+ .*$", done.stdout, re.MULTILINE)))


seen = {
    "3.1, schema is text": complaints("3.1.0", {"schema": TEXT}),
    "3.1, schema is an event": complaints("3.1.0", {"schema": EVENT}),
    "3.2, schema is text": complaints("3.2.0", {"schema": TEXT}),
    "3.2, schema is an event": complaints("3.2.0", {"schema": EVENT}),
    "3.2, schema is an array of events": complaints("3.2.0", {"schema": ALL}),
    "3.2, itemSchema is an event": complaints("3.2.0", {"itemSchema": EVENT}),
}
for what, (code, said) in seen.items():
    print(f"{what}: exit {code} {' '.join(said)}")
refused = {what for what, (code, _) in seen.items() if code}
assert refused == {"3.1, schema is text", "3.2, schema is text", "3.2, schema is an event"}, refused
PYTHON
