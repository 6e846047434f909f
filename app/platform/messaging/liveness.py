"""Whether a consumer lives: it says so again and again while it is connected to its broker and its handler works."""

import os
import time
from pathlib import Path
from typing import Final

STALE_AFTER_S: Final = 15.0
_EVERY_S: Final = 1.0


class Liveness:
    """The signs of life of a consumer, here and in a file for those outside.

    The file is `strongbox-<name>.alive` in the folder that HEARTBEAT_DIR names, and its age is what counts; without
    HEARTBEAT_DIR there is none.
    """

    def __init__(self, name: str) -> None:
        folder = os.environ.get("HEARTBEAT_DIR")
        self._file = Path(folder) / f"strongbox-{name}.alive" if folder else None
        self._last_s = float("-inf")

    def sign(self) -> None:
        """Give a sign of life."""
        now_s = time.monotonic()
        if now_s - self._last_s >= _EVERY_S:
            self._last_s = now_s
            if self._file is not None:
                self._file.touch()

    def is_fresh(self) -> bool:
        """Whether this process gave a sign lately."""
        return time.monotonic() - self._last_s < STALE_AFTER_S

    def is_fresh_outside(self) -> bool:
        """Whether the process with the file did."""
        try:
            return self._file is not None and time.time() - self._file.stat().st_mtime < STALE_AFTER_S
        except FileNotFoundError:
            return False

    def end(self) -> None:
        """No more signs."""
        self._last_s = float("-inf")
        if self._file is not None:
            self._file.unlink(missing_ok=True)
