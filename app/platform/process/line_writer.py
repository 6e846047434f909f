"""Lines to a descriptor, written by a thread of its own: whoever has one to say never waits for who reads.

A reader that has gone or is stuck, and a disk that is full, cost lines, which are counted, and nothing else.
"""

import io
import os
import select
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

ROOM_BYTES = 4 * 1024 * 1024
"""What is kept for a reader that does not read, at the most. What comes then is lost."""
GATHER_S = 0.02
"""How long a line waits for others: the thread wakes once for all of them."""
END_WITHIN_S = 1.0
"""Time at the end for the lines that are left."""


class LineWriter:
    """Writes lines in the order in which they came.

    `tell_lost` makes the line that says how many were lost before it; `room_bytes` may wait to be written.
    """

    def __init__(self, descriptor: int, tell_lost: Callable[[int], bytes], room_bytes: int = ROOM_BYTES) -> None:
        self._descriptor = descriptor
        self._tell_lost = tell_lost
        self._free_bytes = room_bytes
        # Reentrant: the collector may come in between, and what it takes away may have something to say.
        self._lock = threading.RLock()
        self._waiting: list[bytes] = []
        self._is_torn = False
        self._lost = 0
        self._told = 0
        self._more = threading.Event()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._work, name="lines", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """How many lines were lost so far."""
        return self._lost

    def put(self, line: bytes) -> None:
        """Have the line, which ends with a line feed, written soon. Never waits, and never raises."""
        with self._lock:
            if len(line) > self._free_bytes:
                self._lost += 1
                return
            self._free_bytes -= len(line)
            self._waiting.append(line)
            is_first = len(self._waiting) == 1
        if is_first:
            self._more.set()

    def close(self) -> None:
        """End, with what is left written, unless that takes longer than `END_WITHIN_S`."""
        self._ends.set()
        self._more.set()
        self._thread.join(END_WITHIN_S)

    def _work(self) -> None:
        ends = False
        while not ends:
            self._more.wait()
            self._more.clear()
            ends = self._ends.wait(GATHER_S)
            with self._lock:
                lines, self._waiting = self._waiting, []
            for together in _whole(lines):
                lost = self._write(together)
                with self._lock:
                    self._free_bytes += sum(map(len, together))
                    self._lost += lost
            lost = self._lost
            if lost > self._told and not self._write([self._tell_lost(lost - self._told)]):
                self._told = lost

    def _write(self, lines: Sequence[bytes]) -> int:
        """Write the lines; how many of them were not, or not as a whole."""
        # Behind half a line, which a full disk leaves, begins another.
        mend = b"\n" if self._is_torn else b""
        data = mend + b"".join(lines)
        written = self._push(data)
        if written:
            self._is_torn = data[written - 1] != ord("\n")
        if written == len(data):
            return 0
        end, lost = len(mend), 0
        for line in lines:
            end += len(line)
            lost += end > written
        return lost

    def _push(self, data: bytes) -> int:
        written = 0
        while written < len(data):
            try:
                written += os.write(self._descriptor, data[written:])
            except BlockingIOError:  # it was made so by another process that has it, too
                room = select.poll()
                room.register(self._descriptor, select.POLLOUT)
                room.poll()
            except OSError:
                break
        return written


class LineStream(io.RawIOBase):
    """The descriptor of a writer as a stream, for those who know nothing else: what is written goes by the writer."""

    def __init__(self, writer: LineWriter, descriptor: int) -> None:
        self._writer = writer
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data: Any, /) -> int:  # of the kinds that hold bytes
        line = bytes(data)
        self._writer.put(line)
        return len(line)


def _whole(lines: Sequence[bytes]) -> Iterator[list[bytes]]:
    """The lines, together as far as a pipe takes them as one: others that share it write between two writes."""
    together: list[bytes] = []
    size = 0
    for line in lines:
        if together and size + len(line) > select.PIPE_BUF:
            yield together
            together, size = [], 0
        together.append(line)
        size += len(line)
    if together:
        yield together
