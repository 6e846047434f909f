"""Who watches a run."""

import sys

from app.platform.process.line_writer import LineWriter


class Terminal:
    """Who watches the run, and may be gone or have halted it by now: the run goes on."""

    def __init__(self) -> None:
        # Closed, its number is another file's.
        self._writer = LineWriter(1, lambda lost: b"(%d lines could not be shown)\n" % lost) if sys.stdout else None

    def say(self, text: str) -> None:
        """Tell."""
        if self._writer:
            self._writer.put(f"{text}\n".encode("utf-8", "backslashreplace"))

    def close(self) -> None:
        """Have told, unless that takes too long."""
        if self._writer:
            self._writer.close()
