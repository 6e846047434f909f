"""What the process says, by a thread of its own: nobody waits for who reads it, or ends because nobody does."""

import contextlib
import logging
import os
import queue
import threading

MOST_WAITING = 1_000
"""Lines that wait for a reader; what comes then is lost."""
END_WITHIN_S = 1.0


class Teller(logging.Handler):
    """Says lines on standard output, and on standard error what the libraries log: what is wrong."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._lines: queue.SimpleQueue[tuple[int, str] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._tell, daemon=True)
        self._thread.start()

    def say(self, line: str) -> None:
        """Say a line."""
        self._put(1, line)

    def emit(self, record: logging.LogRecord) -> None:
        """Say what a library logs."""
        self._put(2, self.format(record))

    def end(self) -> None:
        """Say what is left, unless that takes longer than `END_WITHIN_S`."""
        self._lines.put(None)
        self._thread.join(END_WITHIN_S)

    def _put(self, descriptor: int, line: str) -> None:
        if self._lines.qsize() < MOST_WAITING:
            self._lines.put((descriptor, line))

    def _tell(self) -> None:
        while told := self._lines.get():
            descriptor, line = told
            with contextlib.suppress(OSError):
                os.write(descriptor, f"{line}\n".encode("utf-8", "backslashreplace"))
