"""How long a machine that does much else may take for what a quiet one does in time."""

import os
from pathlib import Path


def is_busy() -> bool:
    """Whether there are more who wanted the cores in the last minute than cores."""
    return os.getloadavg()[0] > (os.cpu_count() or 1)


def slow(limit_s: float) -> float:
    """The limit as it is on a machine with nothing to do; where others wait for the cores, as much longer as they make
    whoever has to wait.

    For limits that tell quick from waiting in vain: what a test asserts of seconds is asserted of a quiet machine.
    """
    return limit_s * max(1.0, 1 + _waiting() / (os.cpu_count() or 1))


def _waiting() -> float:
    """How many want a core: of the last minute or right now, as the minute's mean comes long after a burst."""
    try:
        now = float(Path("/proc/loadavg").read_text(encoding="ascii").split()[3].partition("/")[0])
    except OSError:  # not on Linux
        now = 0.0
    return max(os.getloadavg()[0], now)
