"""The gateway's memory on disk: one line a change, written before the change is answered.

A line is one unbuffered write, so a process that is killed has lost nothing that it answered. There is no fsync: what
the operating system had not yet written when the machine itself went down is gone.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Callable

import msgspec


class Journal:
    """A file of JSON lines that only grows at its end, in the hands of one process."""

    def __init__(self, path: str) -> None:
        """Open the file, or make it.

        Raises:
            OSError: it cannot be written, is not a plain file, or another process has it.
        """
        self._path = path
        self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not stat.S_ISREG(os.fstat(self._fd).st_mode):
            raise OSError(errno.EINVAL, "Not a plain file")
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError(errno.EBUSY, "Another process writes it") from None

    def read_back(self, take: Callable[[bytes], object]) -> None:
        """Hand every line to `take`, oldest first. A torn last line, never answered, is cut off.

        Raises:
            ValueError: `take` refused a line as not its own (ValueError, DecodeError); the message says where.
        """
        with open(self._fd, "rb", closefd=False) as lines:
            size_bytes = 0
            for number, line in enumerate(lines, 1):
                if not line.endswith(b"\n"):
                    os.ftruncate(self._fd, size_bytes)
                    break
                try:
                    take(line)
                except (ValueError, msgspec.DecodeError, RecursionError) as error:
                    raise ValueError(f"{self._path}, line {number}: {error}") from error
                size_bytes += len(line)

    def append(self, line: bytes) -> None:
        """Write a line (without its line feed), wholly or not at all.

        Raises:
            OSError: there is no room for it, or the disk fails.
        """
        written_bytes = os.write(self._fd, line + b"\n")
        if written_bytes <= len(line):  # the next line must not go on where this one broke off
            os.ftruncate(self._fd, os.fstat(self._fd).st_size - written_bytes)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def empty(self) -> None:
        """Cut off every line."""
        os.ftruncate(self._fd, 0)
