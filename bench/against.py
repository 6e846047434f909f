"""This tree beside another revision of it: the same scenarios, in turn, on servers of the same kind.

The other revision is checked out into a folder of its own, with an environment of its own, and measures itself by its
own `python -m bench`: so it does not matter what has been moved or renamed since.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec

from app.platform.process.processes import CannotStart
from bench.results import Measure, Results, aligned, number

LOAD: Final = "wrk"
"""What makes the load is no part of what a payment costs."""

Run = Callable[[], Results]


class Pair(msgspec.Struct, frozen=True):
    """A run of each, one right after the other: their figures, and what a payment took of the processor, in µs."""

    ours: float
    theirs: float
    ours_cpu_us: float | None = None
    theirs_cpu_us: float | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A measure, ours by theirs: medians of the ratios of the pairs. `cpu_ratio` where both tell the processor time."""

    unit: str
    ratio: float
    cpu_ratio: float | None
    pairs: list[Pair]

    @classmethod
    def of_medians(cls, unit: str, pairs: list[Pair]) -> "Comparison":
        """Of runs that are too short for a drift between two of them: the one median by the other."""
        ratio = median(pair.ours for pair in pairs) / median(pair.theirs for pair in pairs)
        return cls(unit=unit, ratio=ratio, cpu_ratio=None, pairs=pairs)


class Against(msgspec.Struct, frozen=True):
    """What came of it, by measure."""

    revision: str
    machine: dict[str, Any]
    scenarios: dict[str, Comparison]

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self)) + b"\n")


def other_revision(revision: str, home: Path, say: Callable[[str], None]) -> tuple[str, Path]:
    """The commit that is meant, and the folder where it is, with its environment.

    Raises:
        CannotStart: there is no such revision, or it cannot be set up.
    """
    commit = _done(["git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"], f"no revision {revision!r}")
    folder = home / "against" / commit[:12]
    if not (folder / ".git").exists():
        say(f"checking out {commit[:12]}")
        shutil.rmtree(folder, ignore_errors=True)
        top = _done(["git", "rev-parse", "--show-toplevel"], "this is no git checkout")
        _done(["git", "clone", "--quiet", "--no-checkout", top, str(folder)], "cannot clone")
        _done(["git", "-C", str(folder), "checkout", "--quiet", "--detach", commit], "cannot check it out")
    say(f"setting up {commit[:12]}")
    # The interpreter that ours was made from, so that both have the same.
    python = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    _done(["make", "-C", str(folder), "setup", f"PYTHON={python}"], "cannot set it up")
    return commit, folder


def theirs(folder: Path, name: str, options: Sequence[str]) -> Results:
    """What the revision in the folder measures of itself.

    Raises:
        CannotStart: it could not.
    """
    written = folder / "bench/results/latest.json"
    if "--short" in options:
        written = folder / ".strongbox-bench/short/latest.json"
    written.unlink(missing_ok=True)
    python = folder / ".venv/bin/python"
    _done([str(python), "-m", "bench", "--scenario", name, *options], f"it cannot measure {name}", folder)
    found = Results.read(written)
    if found is None:
        raise CannotStart(f"it measured {name}, and left no {written}")
    return found


def in_turn(ours: Run, their: Run, pairs: int, say: Callable[[str], None]) -> tuple[list[Results], list[Results]]:
    """So many pairs of runs; who begins changes with each, so that a drift of the machine favours neither."""
    found: tuple[list[Results], list[Results]] = ([], [])
    for nth in range(pairs):
        for side in (0, 1) if nth % 2 == 0 else (1, 0):
            say(f"pair {nth + 1} of {pairs}: {('ours', 'theirs')[side]}")
            found[side].append((ours, their)[side]())
    return found


def compare(ours: Sequence[Results], their: Sequence[Results]) -> dict[str, Comparison]:
    """The measures that all runs have, ours by theirs."""
    common = [name for name in ours[0].scenarios if all(name in one.scenarios for one in (*ours, *their))]
    return {
        name: _comparison([one.scenarios[name] for one in ours], [one.scenarios[name] for one in their])
        for name in common
    }


def _comparison(ours: Sequence[Measure], their: Sequence[Measure]) -> Comparison:
    pairs = [
        Pair(a.value, b.value, _cpu_us(a), _cpu_us(b)) for a, b in zip(ours, their, strict=True) if not a.void | b.void
    ]
    if not pairs:
        raise CannotStart("every pair has a run that is void")
    costs = [pair.ours_cpu_us / pair.theirs_cpu_us for pair in pairs if pair.ours_cpu_us and pair.theirs_cpu_us]
    return Comparison(
        unit=ours[0].unit,
        ratio=median(pair.ours / pair.theirs for pair in pairs),
        cpu_ratio=median(costs) if costs else None,
        pairs=pairs,
    )


def _cpu_us(measured: Measure) -> float | None:
    details = measured.details
    costs: Mapping[str, float] = details.get("cpu_us_per_payment") or details.get("cpu_us_per_transfer") or {}
    return sum(us for process, us in costs.items() if process != LOAD) or None


def table(compared: Mapping[str, Comparison]) -> str:
    """The comparisons, a line each."""
    rows = [("measure", "ours", "theirs", "ratio", "of", "processor time")]
    for name, one in compared.items():
        ours, their = (median(getattr(pair, side) for pair in one.pairs) for side in ("ours", "theirs"))
        cost = "" if one.cpu_ratio is None else f"{one.cpu_ratio:.3f}"
        rows.append((name, f"{number(ours)} {one.unit}", number(their), f"{one.ratio:.3f}", f"{len(one.pairs)}", cost))
    return "\n".join(aligned(rows))


def _done(command: Sequence[str], otherwise: str, folder: Path | None = None) -> str:
    """Run it; what it printed.

    Raises:
        CannotStart: it failed.
    """
    with subprocess.Popen(  # noqa: S603 -- ours
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            printed, complaint = process.communicate()
        except KeyboardInterrupt:
            process.terminate()
            process.wait()  # it ends what it has started
            raise
    if process.returncode != 0:
        raise CannotStart(f"{otherwise}: {(complaint or printed).strip()[-2000:]}")
    return printed.strip()
