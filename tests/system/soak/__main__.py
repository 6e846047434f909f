"""`python -m tests.system.soak --duration 60 --seed 1`: the bank test.

Exit codes: 0 everything holds; 1 something is broken; 2 it could not be run; 3 void, as a fault hit nothing;
130 interrupted.
"""

import argparse
import asyncio
import secrets
import signal
import sys
import traceback
from pathlib import Path
from typing import Final

from app.platform.process.processes import CannotStart
from tests.system.soak.report import EXIT_CODES, Progress
from tests.system.soak.soak import Options, soak

HOME: Final = Path(".strongbox-soak")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.system.soak", description="The bank test.")
    parser.add_argument("--duration", type=float, default=60.0, help="seconds of load, 10 to 900 (60)")
    parser.add_argument("--seed", type=int, help="the same seed plans the same faults and the same load")
    parser.add_argument(
        "--report", type=Path, help=f"where the JSON goes ({HOME}/seed-N.json); a text is put beside it"
    )
    parsed = parser.parse_args()
    if not 10 <= parsed.duration <= 900:
        parser.error("--duration must be from 10 to 900 seconds")
    return parsed


def _home() -> Path:
    HOME.mkdir(exist_ok=True)
    (HOME / ".gitignore").write_text("*\n", encoding="ascii")  # nothing here belongs into a repository
    return HOME


async def _run(options: Options, path: Path) -> int:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    report = await soak(options, Progress())
    report.write(path)
    sys.stdout.write(f"{report.text()}\nreport: {path}\n")
    return EXIT_CODES[report.verdict]


def main() -> int:
    """Run it; the exit code."""
    arguments = _arguments()
    seed = secrets.randbelow(10**6) if arguments.seed is None else arguments.seed
    path: Path = arguments.report or _home() / f"seed-{seed}.json"
    sys.stdout.write(f"seed {seed}, {arguments.duration:g} s of load (again: make soak SEED={seed})\n")
    sys.stdout.flush()
    try:
        return asyncio.run(_run(Options(arguments.duration, seed, logs=path.with_suffix("")), path))
    except CannotStart as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (TimeoutError, ExceptionGroup) as error:  # a harness that fails says nothing about the house
        traceback.print_exception(error)
        return 2
    except asyncio.CancelledError:
        sys.stderr.write("interrupted: everything that was started has ended\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
