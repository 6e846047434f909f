"""`python -m tests.system.engines`: what becomes of payments when a server falls of which there are several?

Exit codes: 0 nothing was lost and everything holds; 1 something does not; 2 an engine could not be run;
130 interrupted.
"""

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from app.platform.process.processes import CannotStart
from tests import forks
from tests.system.engines.engine import Engine
from tests.system.engines.every import ENGINES
from tests.system.engines.given import URL, Given
from tests.system.engines.run import Row, endure
from tests.system.engines.table import PAGE, write
from tests.system.soak.report import Progress

SHOWN: Final = 5


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.system.engines", description="Engines, and what befalls them."
    )
    parser.add_argument("--list", action="store_true", help="name the engines, and run nothing")
    parser.add_argument("--only", action="append", metavar="NAME", help="this engine alone (may be repeated)")
    arguments = parser.parse_args()
    names = [engine.name for engine in ENGINES]
    if unknown := set(arguments.only or ()) - set(names):
        parser.error(f"no such engine: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    return arguments


def _run(engine: type[Engine], progress: Progress) -> Sequence[Row]:
    folder = Path(tempfile.mkdtemp(prefix="strongbox-engines-"))
    folder.chmod(0o755)  # PostgreSQL may run as another user
    forks.home, forks.run_by = folder, os.getpid()
    progress.say(f"{engine.name}: {engine.what}")
    rows: list[Row] = []

    def note(row: Row) -> None:
        rows.append(row)
        progress.say(_told(row))
        write(engine, rows, ENGINES)  # whoever interrupts a long run keeps what it has found

    try:
        asyncio.run(endure(engine(folder), note))
        return rows
    finally:
        forks.leave()
        shutil.rmtree(folder, ignore_errors=True)


def _code(engine: type[Engine], progress: Progress) -> int:
    """Run it, and write what came of it; what that means for the exit code."""
    if missing := engine.missing():
        progress.say(f"{engine.name}: left out, not installed (Debian: apt-get install {' '.join(missing)})")
        return 2
    try:
        rows = _run(engine, progress)
    except CannotStart as error:
        progress.say(f"{engine.name} could not be run: {error}")
        return 2
    except (AssertionError, TimeoutError) as error:
        progress.say(f"{engine.name} does not serve: {error!r}")
        return 1
    progress.say(f"written: {PAGE.name}")
    return 1 if any(row.lost or row.wrong for row in rows) else 0


def _told(row: Row) -> str:
    gaps = f"{row.without_s:.1f} s without service, events held for {row.held_s:.1f} s"
    found = "".join(f"\n        {one}" for one in row.wrong[:SHOWN])
    return f"  {row.deed}: {row.acknowledged} acknowledged, {gaps}, {row.lost} lost{found or '; verify holds'}"


def main() -> int:
    """Run it; the exit code."""
    arguments = _arguments()
    if arguments.list:
        sys.stdout.write("".join(f"{engine.name:12} {engine.what}\n" for engine in ENGINES))
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    progress = Progress()
    asked = arguments.only or [engine.name for engine in ENGINES if engine is not Given or URL in os.environ]
    try:
        return max(_code(engine, progress) for engine in ENGINES if engine.name in asked)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: everything that was started has ended\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
