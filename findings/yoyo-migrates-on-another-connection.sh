#!/bin/sh
# On which connection yoyo-migrations runs a migration (9.0.0).
#
# Guessed: on the backend's own, so that what is set there for the session (search_path, a time zone, a PRAGMA) holds for
#          the migrations as well.
# Seen:    apply_one() runs each on a fresh copy of the connection, made from the URL: the session's settings are not
#          there, and nothing says so.
# Matters: a migration that relies on a setting of the session makes its tables elsewhere, or otherwise, while the
#          bookkeeping says that all is well. Settings belong into the URL, or on every connection that is made.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check yoyo-migrations==9.0.0
mkdir "$folder/migrations"
cat >"$folder/migrations/0001.look.py" <<'PYTHON'
from yoyo import step


def look(connection):
    (busy_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
    print("in the migration:", busy_ms)
    connection.execute(f"CREATE TABLE seen AS SELECT {busy_ms} AS busy_ms")


steps = [step(look)]
PYTHON
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from yoyo import get_backend, read_migrations

backend = get_backend("sqlite:///look.db")
backend.execute("PRAGMA busy_timeout = 12345")
(set_ms,) = backend.execute("PRAGMA busy_timeout").fetchone()
print("on the backend:", set_ms)
for migration in read_migrations("migrations"):
    backend.apply_one(migration)
((seen_ms,),) = backend.execute("SELECT busy_ms FROM seen").fetchall()
assert set_ms == 12345, set_ms
assert seen_ms != 12345, "the migration saw the session's setting"
PYTHON
