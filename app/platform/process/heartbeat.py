"""The sign of life of a process that serves no HTTP: a file that it touches, whose age a container engine asks for.

`python -m app.platform.process.heartbeat NAME` exits 0 while the process of that name is alive, else 1.
"""

import asyncio
import os
import re
import sys
import time
from contextlib import suppress
from pathlib import Path

EVERY_S = 2.0
STALE_AFTER_S = 15.0


def _file(name: str) -> Path | None:
    assert re.fullmatch(r"[a-z0-9-]+", name), name
    folder = os.environ.get("HEARTBEAT_DIR")
    return Path(folder) / f"strongbox-{name}.alive" if folder else None


async def beat(name: str) -> None:
    """Touch the file of that name until cancelled. Does nothing unless HEARTBEAT_DIR says where."""
    file = _file(name)
    if file is None:
        return
    try:
        while True:
            with suppress(OSError):  # whoever looks sees that it is old; the work goes on
                file.touch()
            await asyncio.sleep(EVERY_S)
    finally:
        file.unlink(missing_ok=True)


def is_beating(name: str) -> bool:
    """Whether that process has given a sign of life lately."""
    file = _file(name)
    try:
        return file is not None and time.time() - file.stat().st_mtime < STALE_AFTER_S
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(0 if len(sys.argv) == 2 and is_beating(sys.argv[1]) else 1)
