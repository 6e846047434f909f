#!/bin/sh
# What importing eth-account (0.14.0, with py_ecc 8.0.0) does to the process that imports it.
#
# Guessed: an import of a library that signs messages changes nothing outside its own modules.
# Seen:    the interpreter's recursion limit is 100,000 afterwards (1,000 before): py_ecc, which eth-account imports for
#          blobs' commitments, sets it for the whole process, and nobody sets it back.
# Matters: a parser that counts on RecursionError to refuse text nested too deeply gets none, where its own stack is the
#          smaller of the two. Who signs in tests sets the limit back behind the import.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check eth-account==0.14.0 py-ecc==8.0.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys

before = sys.getrecursionlimit()
import eth_account  # noqa: E402, F401

after = sys.getrecursionlimit()
print("before the import:", before, "| behind it:", after, "| py_ecc is there:", "py_ecc" in sys.modules)
assert (before, after) == (1_000, 100_000)
assert "py_ecc" in sys.modules
PYTHON
