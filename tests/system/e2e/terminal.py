"""Runs a command at a terminal, for `python terminal.py COMMAND…`, and answers each question that it asks there."""

import os
import pty
import sys

ANSWER = b"correct horse battery staple 7\n"


def _answered(terminal: int) -> bytes:
    said = os.read(terminal, 1024)
    if said.endswith(b" "):  # it waits behind a question, not at the end of a line
        os.write(terminal, ANSWER)
    return said


if __name__ == "__main__":
    sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:], _answered)))
