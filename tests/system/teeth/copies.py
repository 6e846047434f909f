"""Throw-away copies of the tree, with an interpreter that imports the copy, and tests run in them."""

import os
import re
import shutil
import site
import subprocess
import time
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from tests.pace import slow

ROOT: Final = Path(__file__).parents[3]
PARTS: Final = ("app", "consumers", "mock_gateway", "migrations", "tests", "pyproject.toml")
PACKAGES: Final = ("app", "consumers", "mock_gateway", "tests")
LIMIT_S: Final = 900.0


class CannotTell(Exception):  # noqa: N818 -- it says what the runner can do
    """A run that says nothing about the tests: a copy that is not itself, a command that did not do its work."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a test ended, the first line of what it complained of and all of it, and its seconds, without set-up."""

    test: str
    outcome: str
    complaint: str
    all_of_it: str
    seconds: float


class Copy:
    """The tree as it is when this is made, at a place of its own, to be changed and renewed.

    Its interpreter has the packages that are installed here, but not this tree's.
    """

    def __init__(self, folder: Path) -> None:
        """Copy the tree.

        Raises:
            CannotTell: the interpreter would import something else than the copy.
        """
        self.folder = folder
        self.tree = folder / "tree"
        self._original = folder / "original"
        self._python = folder / "python"
        for part in PARTS:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, self._original / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / part, self._original / part)
        venv.EnvBuilder(symlinks=True, with_pip=False).create(self._python)
        (packages,) = self._python.glob("lib/python*/site-packages")
        # A folder named in a .pth file is searched, but the .pth files in it are not read: an editable install of the
        # project there stays out of sight. And the processes that tests start need no variable to see the copy.
        (packages / "copy.pth").write_text("\n".join([str(self.tree), *site.getsitepackages()]) + "\n")
        self.renew()
        self._is_itself()

    def renew(self) -> None:
        """Undo whatever was planted."""
        shutil.rmtree(self.tree, ignore_errors=True)
        shutil.copytree(self._original, self.tree)

    def _is_itself(self) -> None:
        show = f"import {', '.join(PACKAGES)}; print(*({', '.join(f'{name}.__file__' for name in PACKAGES)}))"
        ask = [self._command(), "-c", show]
        done = subprocess.run(ask, cwd=self.folder, env=_environment(), capture_output=True, text=True, check=False)
        strangers = [file for file in done.stdout.split() if not Path(file).is_relative_to(self.tree)]
        if done.returncode or strangers:
            raise CannotTell(f"the copy would import {strangers}, not its own: {done.stderr}")

    def test(self, tests: Sequence[str], state: Callable[[str], None]) -> list[Result]:
        """Run tests, telling the state of things; how each ended, in order.

        Raises:
            CannotTell: they could not be run.
        """
        report = self.folder / "report.xml"
        report.unlink(missing_ok=True)
        quiet = ("-v", "--tb=short", "-p", "no:cacheprovider", "-m", "long or not long")
        options = (f"--junitxml={report}", "-o", "junit_duration_report=call")
        code = self.run(("pytest", *quiet, *options, *tests), state)
        if code not in (0, 1) or not report.exists():
            raise CannotTell(f"pytest exited {code}: {self.log()[-2000:]}")
        return [_result(case) for case in ElementTree.parse(report).iter("testcase")]

    def run(self, words: Sequence[str], state: Callable[[str], None]) -> int:
        """Run `python -m WORDS` in the copy, telling its last line; its exit code. It ends with us.

        Raises:
            CannotTell: it took too long.
        """
        limit_s = slow(LIMIT_S)
        deadline = time.monotonic() + limit_s
        with (self.folder / "log").open("wb") as log:
            # In a session of its own: of a Ctrl-C it hears from us, once. A second one would cut its cleaning up short.
            process = subprocess.Popen(
                [self._command(), "-m", *words],
                cwd=self.tree,
                env=_environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            while process.poll() is None:
                if time.monotonic() > deadline:
                    raise CannotTell(f"{words[0]} did not end within {limit_s:.0f} s")
                state((self.log().strip().splitlines() or [""])[-1])
                time.sleep(0.2)
            return process.returncode
        finally:
            if process.poll() is None:
                # It ends the servers that it started. (Behind a shell's `&` it would not hear SIGINT.)
                process.terminate()
                process.wait()

    def log(self) -> str:
        """What the last run said."""
        return (self.folder / "log").read_text(errors="replace")

    def _command(self) -> str:
        return str(self._python / "bin/python")


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def _result(case: ElementTree.Element) -> Result:
    test = f"{case.attrib['classname'].replace('.', '/')}.py::{case.attrib['name']}"
    seconds = float(case.attrib["time"])
    bad = next((part for part in case if part.tag in ("failure", "error", "skipped")), None)
    if bad is None:
        return Result(test, "passed", "", "", seconds)
    all_of_it = f"{bad.attrib.get('message', '')}\n{bad.text or ''}"
    # What `strongbox verify` found says more than that it failed.
    complaint = re.search("BROKEN.*", all_of_it) or re.search("^.*", all_of_it)
    return Result(test, bad.tag, complaint[0] if complaint else "", all_of_it, seconds)
