"""Whether the planted bugs of `make teeth` are against the code as it is, and the tests that should see them exist."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.system.soak.report import Progress
from tests.system.teeth import table
from tests.system.teeth.__main__ import QUIET_DAY, Runner, is_bite
from tests.system.teeth.copies import PARTS, ROOT, CannotTell, Copy, Result
from tests.system.teeth.patches import FOLDER, Bug, DoesNotApply, Hunk, all_bugs, read
from tests.system.teeth.table import Verdict

BUGS = all_bugs()


def touched(bug: Bug, folder: Path) -> list[Path]:
    """Copies of the files that the bug changes."""
    files = [folder / path for path in dict.fromkeys(hunk.path for hunk in bug.hunks)]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text((ROOT / file.relative_to(folder)).read_text())
    return files


def test_they_are_numbered() -> None:
    assert [bug.name.partition("-")[0] for bug in BUGS] == [f"{number:02}" for number in range(1, len(BUGS) + 1)]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_every_bug_can_be_planted_once_and_leaves_a_program(bug: Bug, tmp_path: Path) -> None:
    files = touched(bug, tmp_path)
    for_names = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "F821"]
    bug.plant(tmp_path)
    for file in files:
        assert file.read_text() != (ROOT / file.relative_to(tmp_path)).read_text()
        if file.suffix == ".py":
            compile(file.read_text(), file, "exec")
        assert file.relative_to(tmp_path).parts[0] in PARTS
    strange = subprocess.run([*for_names, tmp_path], capture_output=True, text=True, timeout=300, check=False)
    assert strange.returncode == 0, strange.stdout + strange.stderr  # else it would show on the quietest of days
    with pytest.raises(DoesNotApply, match=f"{bug.name}: {bug.hunks[0].path}"):
        bug.plant(tmp_path)


@pytest.mark.parametrize(
    ("outcome", "said", "sees_it"),
    [("failure", "E   assert 1 == 2", True), ("failure", "a server did not start", False), ("error", "1 == 2", False)],
)
def test_only_a_failure_with_the_complaint_of_the_bug_counts(outcome: str, said: str, *, sees_it: bool) -> None:
    bug = replace(BUGS[0], caught_by={"test": "1 == 2"})
    assert is_bite(bug, Result("test", outcome, "", said, 1.0)) is sees_it
    assert not is_bite(bug, Result("another test", outcome, "", said, 1.0))


class Played(Copy):
    """A copy in which tests end as it was said before, and not run."""

    def __init__(self, *runs: Mapping[str, str]) -> None:
        self._runs = iter(runs)
        self.tree = ROOT

    def renew(self) -> None:
        """Nothing was planted."""

    def test(self, tests: Sequence[str], state: Callable[[str], None]) -> list[Result]:
        """How they ended."""
        ends = next(self._runs)
        return [Result(test, ends.get(test, "passed"), "1 == 2", "1 == 2", 1.0) for test in tests]


def test_a_test_that_does_not_pass_without_the_bug_says_nothing_of_it_and_others_do() -> None:
    one, other = (replace(BUGS[0], caught_by={test: "1 == 2"}, hunks=()) for test in ("one", "other"))
    runner = Runner(Played({"one": "failure"}, {"other": "failure"}, {}), Progress(), soak=False)
    runner.control([one, other])
    assert "fails, too" in runner.look_for(one).problem
    assert runner.look_for(other).problem == ""
    assert "not caught by" in runner.look_for(other).problem
    with pytest.raises(CannotTell, match="quiet day"):
        Runner(Played({QUIET_DAY: "failure"}), Progress(), soak=False).control([one])


def test_a_patch_names_a_complaint_for_each_test(tmp_path: Path) -> None:
    text = (FOLDER / f"{BUGS[0].name}.patch").read_text()
    (tmp_path / "bug.patch").write_text(text.replace("Complaint: ", "Complains: "))
    with pytest.raises(ValueError, match="zip"):
        read(tmp_path / "bug.patch")


def test_what_the_last_bank_test_found_stays_on_the_page_until_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "teeth.md"
    page.write_text("nothing yet\n")
    monkeypatch.setattr(table, "TABLE", page)
    bug = BUGS[0]
    caught = Verdict(bug, (Result("tests/a.py::test_it_holds", "failure", "", "", 2.0),), "", "verify holds")
    missed = Verdict(bug, (), "not caught", None)
    table.write([caught], "5 s")
    rows, bank_test, found = page.read_text().partition("\nThe bank test (5 s)")
    assert rows.endswith("| `a`: it holds | 2 |\n")
    assert found.endswith(f"| {bug.name} | verify holds |\n")
    table.write([missed], None)
    assert page.read_text().endswith(f"| **not caught** |  |\n{bank_test}{found}")


@pytest.mark.parametrize("code", ["", "a = 1\na = 1\n", "aa = 1\n", "a = 10\n"])
def test_a_patch_for_other_code_is_refused(code: str, tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(code)
    bug = replace(BUGS[0], hunks=(Hunk("code.py", "a = 1\n", "a = 2\n"),))
    with pytest.raises(DoesNotApply, match=r"code\.py has these lines [02] times"):
        bug.plant(tmp_path)
    assert (tmp_path / "code.py").read_text() == code


def test_the_tests_that_should_see_them_exist() -> None:
    tests = sorted({QUIET_DAY, *(test for bug in BUGS for test in bug.caught_by)})
    assert all(bug.caught_by for bug in BUGS)
    collect = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "long or not long",
    ]
    done = subprocess.run([*collect, *tests], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {line for line in done.stdout.splitlines() if "::" in line} == set(tests)


def test_a_copy_imports_itself_wherever_its_processes_run(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    (copy.tree / "app/__init__.py").write_text("print('planted')\n")
    command = [str(tmp_path / "python/bin/python"), "-m", "app", "--help"]
    done = subprocess.run(command, cwd="/", env={}, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout.partition("\n")[0]) == (0, "planted"), done.stderr
