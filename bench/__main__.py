"""`python -m bench`: how fast it is, as ratios against what the machine can do in the same run.

Exit codes: 0 it was measured; 1 a run is void, or the books do not hold; 2 it could not be run; 130 interrupted.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from app.platform.process.processes import CannotStart
from bench import against, machine, plots, startup
from bench.house import Broken
from bench.results import Measure, Results, table
from bench.scenarios import SCENARIOS
from bench.servers import Servers
from bench.sizing.measured import points_of
from bench.sizing.points import all_foretold
from bench.sizing.telling import of_points
from bench.stage import SHORT, Sizes, Stage

HOME: Final = Path(".strongbox-bench")
RESULTS: Final = Path(__file__).parent / "results"


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure, and write bench/results.")
    parser.add_argument(
        "--scenario", action="append", choices=[*SCENARIOS, startup.NAME], help="only this one (may be repeated)"
    )
    parser.add_argument("--repeats", type=int, default=Sizes.repeats, help=f"runs of each ({Sizes.repeats})")
    parser.add_argument("--duration", type=float, default=Sizes.run_s, help=f"seconds a run ({Sizes.run_s:g})")
    parser.add_argument(
        "--short", action="store_true", help=f"see that all of it works, in tiny sizes; writes {HOME}/short only"
    )
    parser.add_argument(
        "--against", metavar="REVISION", help=f"beside another revision, in turn; writes {RESULTS.name}/against.json"
    )
    parser.add_argument("--pairs", type=int, default=5, help="with --against: runs of each of both (5)")
    parsed = parser.parse_args(words)
    if startup.NAME in (parsed.scenario or ()) and not parsed.against:
        parser.error(f"{startup.NAME} is measured beside another revision: --against")
    if not 1 <= parsed.pairs <= 100:
        parser.error("--pairs must be from 1 to 100")
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


def _sizes(arguments: argparse.Namespace, repeats: int) -> Sizes:
    return SHORT if arguments.short else Sizes().with_runs_of(arguments.duration, repeats)


def _measure(names: Sequence[str], sizes: Sizes, home: Path) -> Results:
    say = _teller()
    measured: dict[str, Measure] = {}
    with _folder(home) as folder:
        servers = Servers(folder, say, is_durable=sizes is not SHORT)
        try:
            servers.start()
            (folder / "processes").mkdir()
            stage = Stage(servers, sizes, folder / "processes", say)
            described = machine.describe(*servers.versions)
            for name in names:
                found = SCENARIOS[name](replace(stage, say=_of(name, say)))
                now = datetime.now(UTC).isoformat(timespec="seconds")
                measured |= {key: msgspec.structs.replace(one, measured_at=now) for key, one in found.items()}
        finally:
            servers.stop()
    return Results(described, measured)


@contextmanager
def _folder(home: Path) -> Iterator[Path]:
    """A folder for a run; it stays, for its logs, when that fails."""
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=home))
    folder.chmod(0o755)  # the database's user passes through it
    try:
        yield folder
    except (CannotStart, Broken) as error:
        error.add_note(f"(logs: {folder})")
        raise
    except KeyboardInterrupt:
        shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)


def _publish(results: Results, folder: Path) -> None:
    results.write(folder / "latest.json")
    for name, picture in plots.pictures(results.scenarios):
        (folder / name).write_text(picture, encoding="utf-8")


def _of(name: str, say: Callable[[str], None]) -> Callable[[str], None]:
    """What tells with the scenario's name in front."""
    return lambda what: say(f"{name}: {what}")


def _beside(arguments: argparse.Namespace, home: Path, target: Path) -> None:
    """Measure this tree and another revision in turn, scenario by scenario, and write what is known after each."""
    say = _teller()
    commit, other = against.other_revision(arguments.against, home, say)
    options = ["--short"] if arguments.short else ["--repeats=1", f"--duration={arguments.duration:g}"]
    compared: dict[str, against.Comparison] = {}
    for name in arguments.scenario or [*SCENARIOS, startup.NAME]:
        if name == startup.NAME:
            described, found = _start_up(other, 1 if arguments.short else startup.TIMES, home, _of(name, say))
            compared |= found
            against.Against(commit, described, compared).write(target / "against.json")
            continue
        ours = partial(_measure, [name], _sizes(arguments, 1), home)
        theirs = partial(against.theirs, other, name, options)
        both = against.in_turn(ours, theirs, arguments.pairs, _of(name, say))
        compared |= against.compare(*both)
        against.Against(commit, both[0][0].machine, compared).write(target / "against.json")
    print(f"\n{against.table(compared)}\n\n{target}/against.json")


def _start_up(
    other: Path, times: int, home: Path, say: Callable[[str], None]
) -> tuple[dict[str, Any], dict[str, against.Comparison]]:
    """What starting takes of both; the machine, and the comparisons."""
    with _folder(home) as folder:
        servers = Servers(folder, say)
        try:
            servers.start()
            return machine.describe(*servers.versions), startup.beside(servers, other, folder, times, say)
        finally:
            servers.stop()


def _alone(arguments: argparse.Namespace, home: Path, target: Path) -> int:
    """Measure this tree, and publish it unless a run is void; the exit code."""
    results = _measure(arguments.scenario or list(SCENARIOS), _sizes(arguments, arguments.repeats), home)
    print(f"\n{table(results.scenarios)}")
    if workers := results.scenarios.get("workers"):
        foretold = all_foretold(points_of(workers), results.machine["cores"])
        print("\n".join(["", "workers, beside what the sizing model foretells:", *of_points(foretold)]))
    if any(one.void for one in results.scenarios.values()):
        print("\na run with errors is void: nothing is written", file=sys.stderr)
        return 1
    _publish(results.over(Results.read(target / "latest.json")), target)
    if Results.read(target / "latest.json") is None:
        print("\nlatest.json has not the shape that it should have", file=sys.stderr)
        return 1
    print(f"\n{target}/latest.json")
    return 0


def main(words: Sequence[str] | None = None) -> int:
    """Run it; the exit code."""
    arguments = _arguments(words)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is ended, then, too
    home = _home()
    target = home / "short" if arguments.short else RESULTS
    try:
        if not arguments.against:
            return _alone(arguments, home, target)
        _beside(arguments, home, target)
        return 0
    except (CannotStart, Broken) as error:
        print("\n".join([str(error), *getattr(error, "__notes__", ())]), file=sys.stderr)
        return 1 if isinstance(error, Broken) else 2
    except KeyboardInterrupt:
        print("interrupted: everything that was started has ended", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
