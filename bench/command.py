"""A command of `strongbox`, in a process of its own: what it said, how long it took, and its memory."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Final, NamedTuple


class Done(NamedTuple):
    """The exit code, what was said, and the most memory that the process had at a time."""

    code: int
    said: str
    seconds: float
    memory_mib: float


# Not ru_maxrss: a process inherits that of the one that started it.
_PROGRAM: Final = """
import sys
try:
    from app.__main__ import main
    sys.argv = ["strongbox", *sys.argv[1:]]
    main()
finally:
    print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
"""


def run(words: tuple[str, ...], environment: Mapping[str, str]) -> Done:
    """Run the command with these variables, and no others of this process."""
    began_at = time.monotonic()
    done = subprocess.run(  # noqa: S603 -- a command of the house
        [sys.executable, "-c", _PROGRAM, *words], env={"PATH": os.environ["PATH"], **environment},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    *said, peak_kib = done.stdout.splitlines()
    return Done(done.returncode, "\n".join(said), time.monotonic() - began_at, int(peak_kib) / 1024)
