"""`python -m tests.system.teeth`: can the crash tests bite?

Exit codes: 0 every bug was caught; 1 one was not, or a test of it does not pass without it; 2 it could not be run;
130 interrupted.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.system.soak.report import Progress
from tests.system.teeth.copies import CannotTell, Copy, Result
from tests.system.teeth.patches import Bug, DoesNotApply, all_bugs
from tests.system.teeth.table import TABLE, Verdict, told, write, write_json

QUIET_DAY: Final = (
    "tests/system/crash/test_nothing_dies.py::test_on_a_quiet_day_payments_are_approved_declined_refused_and_replayed"
)
SOAK_S: Final = 30
SOAK_SEED: Final = 7
HOLDS: Final = "nothing"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.system.teeth", description="Can the crash tests bite?")
    parser.add_argument("--list", action="store_true", help="name the bugs, and run nothing")
    parser.add_argument("--only", action="append", metavar="NAME", help="this bug alone (may be repeated)")
    parser.add_argument("--soak", action="store_true", help=f"the bank test as well, {SOAK_S} s, seed {SOAK_SEED}")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write what was found for scripts, too")
    arguments = parser.parse_args()
    names = [bug.name for bug in all_bugs()]
    if unknown := set(arguments.only or ()) - set(names):
        parser.error(f"no such bug: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    return arguments


class Runner:
    """Plants bugs into a copy, and lets the tests look for them."""

    def __init__(self, copy: Copy, progress: Progress, *, soak: bool) -> None:
        self._copy = copy
        self._progress = progress
        self._soak = soak
        self._silent: set[str] = set()

    def control(self, bugs: Sequence[Bug]) -> None:
        """See that every bug can be planted, and who passes without one: a test that does not says nothing of bugs.

        Raises:
            DoesNotApply: a patch is not against the code as it is.
            CannotTell: what does not pass is the quiet day, or the bank test.
        """
        for bug in bugs:
            bug.plant(self._copy.tree)
            self._copy.renew()
        tests = sorted({test for bug in bugs for test in bug.caught_by})
        self._progress.say(f"control: {len(tests)} tests without a bug")
        results = self._test((QUIET_DAY, *tests))
        for bad in (result for result in results if result.outcome != "passed"):
            self._progress.say(f"  without a bug: {told(bad.test)}: {bad.outcome}, {bad.complaint}")
            self._silent.add(bad.test)
        if QUIET_DAY in self._silent:
            raise CannotTell("without a bug it is wrong on a quiet day")
        if self._soak and (found := self._bank_test()) != HOLDS:
            raise CannotTell(f"without a bug the bank test finds: {found}")

    def look_for(self, bug: Bug) -> Verdict:
        """Plant the bug, and see who finds it, if there is somebody who would tell.

        Raises:
            CannotTell: the tests could not be run.
        """
        began = time.monotonic()
        self._progress.say(f"{bug.name}: {bug.what}")
        if silent := sorted(self._silent & bug.caught_by.keys()):
            return Verdict(bug, (), f"nobody can tell: without the bug fails, too: {'; '.join(map(told, silent))}")
        self._copy.renew()
        bug.plant(self._copy.tree)
        results = self._test((QUIET_DAY, *bug.caught_by))
        bites = tuple(result for result in results if is_bite(bug, result))
        problem = _problem(bug, results, {bite.test for bite in bites})
        soak = self._bank_test() if self._soak else None
        for bite in bites:
            self._progress.say(f"  caught by {told(bite.test)}, {bite.seconds:.0f} s: {bite.complaint[:200]}")
        self._progress.say(f"  {problem or 'caught'} ({time.monotonic() - began:.0f} s in all)")
        return Verdict(bug, bites, problem, soak)

    def _test(self, tests: Sequence[str]) -> list[Result]:
        return self._copy.test(tests, self._progress.state)

    def _bank_test(self) -> str:
        report = self._copy.folder / "soak.json"
        report.unlink(missing_ok=True)
        words = ("tests.system.soak", "--duration", str(SOAK_S), "--seed", str(SOAK_SEED), "--report", str(report))
        code = self._copy.run(words, self._progress.state)
        content = json.loads(report.read_text()) if report.exists() else {"broken": [f"it exited {code}"], "void": []}
        found = "; ".join([*content["broken"], *content["void"]]) or HOLDS
        self._progress.say(f"  the bank test found broken: {found}")
        return found


def is_bite(bug: Bug, result: Result) -> bool:
    """Whether the test has seen the bug: it failed, and with the words that this bug makes it say."""
    complaint = bug.caught_by.get(result.test)
    return complaint is not None and result.outcome == "failure" and complaint in result.all_of_it


def _problem(bug: Bug, results: Sequence[Result], bitten: set[str]) -> str:
    if any(result.test == QUIET_DAY and result.outcome != "passed" for result in results):
        return "no secret: it is wrong on a quiet day"
    missed = [result for result in results if result.test in bug.caught_by and result.test not in bitten]
    how = (f"{told(result.test)} ({result.outcome}{result.complaint and ': '}{result.complaint})" for result in missed)
    return f"not caught by {'; '.join(how)}" if missed else ""


def _run(arguments: argparse.Namespace) -> int:
    bugs = [bug for bug in all_bugs() if not arguments.only or bug.name in arguments.only]
    progress = Progress()
    with tempfile.TemporaryDirectory(prefix="strongbox-teeth-") as folder:
        runner = Runner(Copy(Path(folder)), progress, soak=arguments.soak)
        runner.control(bugs)
        verdicts = [runner.look_for(bug) for bug in bugs]
    if not arguments.only:
        write(verdicts, f"{SOAK_S} s, seed {SOAK_SEED}" if arguments.soak else None)
        progress.say(f"written: {TABLE.name}")
    if arguments.json:
        write_json(verdicts, arguments.json)
    uncaught = [verdict.bug.name for verdict in verdicts if verdict.problem]
    progress.say(f"not caught: {', '.join(uncaught)}" if uncaught else f"all {len(verdicts)} caught")
    return 1 if uncaught else 0


def main() -> int:
    """Run it; the exit code."""
    arguments = _arguments()
    if arguments.list:
        sys.stdout.write("".join(f"{bug.name:32} {bug.what}\n" for bug in all_bugs()))
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _run(arguments)
    except (CannotTell, DoesNotApply) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: everything that was started has ended\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
