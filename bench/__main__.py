"""`python -m bench`: how fast it is, as ratios against what the machine can do in the same run.

Exit codes: 0 it was measured; 1 a run is void, or the books do not hold; 2 it could not be run; 130 interrupted.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from app.main.local.processes import CannotStart
from bench import machine, plots
from bench.house import Broken
from bench.results import Measure, Results, table
from bench.scenarios import SCENARIOS
from bench.servers import Servers
from bench.stage import SHORT, Sizes, Stage

HOME: Final = Path(".strongbox-bench")
RESULTS: Final = Path(__file__).parent / "results"


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure, and write bench/results.")
    parser.add_argument("--scenario", action="append", choices=list(SCENARIOS), help="only this one (may be repeated)")
    parser.add_argument("--repeats", type=int, default=Sizes.repeats, help=f"runs of each ({Sizes.repeats})")
    parser.add_argument("--duration", type=float, default=Sizes.run_s, help=f"seconds a run ({Sizes.run_s:g})")
    parser.add_argument(
        "--short", action="store_true", help=f"see that all of it works, in tiny sizes; writes {HOME}/short only"
    )
    parsed = parser.parse_args(words)
    if not 1 <= parsed.repeats <= 100:
        parser.error("--repeats must be from 1 to 100")
    if not 1 <= parsed.duration <= 3600:
        parser.error("--duration must be from 1 to 3600 seconds")
    return parsed


def _home() -> Path:
    HOME.mkdir(exist_ok=True)
    (HOME / ".gitignore").write_text("*\n", encoding="ascii")  # nothing here belongs into a repository
    return HOME.absolute()


def _teller() -> Callable[[str], None]:
    began = time.monotonic()

    def say(what: str) -> None:
        passed = int(time.monotonic() - began)
        print(f"{passed // 60:3d}:{passed % 60:02d}  {what}", flush=True)

    return say


def _measure(names: Sequence[str], sizes: Sizes, folder: Path) -> Results:
    say = _teller()
    servers = Servers(folder, say)
    measured: dict[str, Measure] = {}
    try:
        servers.start()
        (folder / "processes").mkdir()
        stage = Stage(servers, sizes, folder / "processes", say)
        described = machine.describe(*servers.versions)
        for name in names:
            found = SCENARIOS[name](replace(stage, say=lambda what, name=name: say(f"{name}: {what}")))  # type: ignore[misc]
            now = datetime.now(UTC).isoformat(timespec="seconds")
            measured |= {key: msgspec.structs.replace(one, measured_at=now) for key, one in found.items()}
    finally:
        servers.stop()
    return Results(described, measured)


def _publish(results: Results, folder: Path) -> None:
    results.write(folder / "latest.json")
    for name, picture in plots.pictures(results.scenarios):
        (folder / name).write_text(picture, encoding="utf-8")


def main(words: Sequence[str] | None = None) -> int:
    """Run it; the exit code."""
    arguments = _arguments(words)
    sizes = SHORT if arguments.short else Sizes().with_runs_of(arguments.duration, arguments.repeats)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is ended, then, too
    home = _home()
    target = home / "short" if arguments.short else RESULTS
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=home))
    folder.chmod(0o755)  # the database's user passes through it
    try:
        results = _measure(arguments.scenario or list(SCENARIOS), sizes, folder)
    except (CannotStart, Broken) as error:
        print(f"{error}\n(logs: {folder})", file=sys.stderr)
        return 1 if isinstance(error, Broken) else 2
    except KeyboardInterrupt:
        shutil.rmtree(folder)
        print("interrupted: everything that was started has ended", file=sys.stderr)
        return 130
    shutil.rmtree(folder)
    print(f"\n{table(results.scenarios)}")
    if any(one.void for one in results.scenarios.values()):
        print("\na run with errors is void: nothing is written", file=sys.stderr)
        return 1
    _publish(results.over(Results.read(target / "latest.json")), target)
    if Results.read(target / "latest.json") is None:
        print("\nlatest.json has not the shape that it should have", file=sys.stderr)
        return 1
    print(f"\n{target}/latest.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
