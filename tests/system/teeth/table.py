"""What a run of all bugs leaves behind: a table for people, the same for scripts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.system.teeth.copies import ROOT, Result
from tests.system.teeth.patches import Bug

TABLE: Final = ROOT / "docs/teeth.md"

_HEAD: Final = """# Teeth

Can the [crash matrix](development.md#the-crash-matrix) and the [bank test](development.md#the-bank-test) bite?
`make teeth` plants each of these bugs, a small patch in `tests/system/teeth/bugs`, into a throw-away copy of the tree,
and runs the tests that should see it. They have to fail there, each with the complaint that its patch names, and to
pass in a copy without the bug; and the copy has to be right on a day on which nothing dies
(`tests/system/crash/test_nothing_dies.py`). `make teeth` writes this page. Seconds are those until the test failed;
starting the servers takes some fifteen more.

| | bug | what it would do | caught by | s |
|---|---|---|---|---|
"""
_BANK_TEST: Final = "\nThe bank test ("


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one bug. `bites` are the tests that saw it; `problem`, if any, is why it does not count."""

    bug: Bug
    bites: tuple[Result, ...]
    problem: str
    soak: str | None = None
    """What the bank test made of it; None when it was not asked."""


def write(verdicts: Sequence[Verdict], soak: str | None) -> None:
    """Write the page. `soak` says which bank test was run; if none was, what the last one found stays."""
    if soak:
        found = f"{_BANK_TEST}{soak}) finds what its load and its faults happen to meet; these of its checks broke:\n"
        found += "\n| bug | it found broken |\n|---|---|\n"
        found += "".join(f"| {verdict.bug.name} | {verdict.soak} |\n" for verdict in verdicts)
    else:
        found = "".join(TABLE.read_text(encoding="utf-8").partition(_BANK_TEST)[1:])
    TABLE.write_text(_HEAD + "".join(map(_row, verdicts)) + found, encoding="utf-8")


def write_json(verdicts: Sequence[Verdict], path: Path) -> None:
    """Write the same for scripts."""
    content = [
        {
            "bug": verdict.bug.name,
            "what": verdict.bug.what,
            "caught": not verdict.problem,
            "problem": verdict.problem,
            "by": [{"test": bite.test, "complaint": bite.complaint, "seconds": bite.seconds} for bite in verdict.bites],
            "soak": verdict.soak,
        }
        for verdict in verdicts
    ]
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def told(test: str) -> str:
    """A test's id as a sentence, behind its file's name."""
    file, _, name = test.rpartition("/")[2].partition(".py::")
    words, bracket, case = name.partition("[")
    return f"`{file}`: {words.removeprefix('test_').replace('_', ' ')}{bracket and ' '}{bracket}{case}"


def _row(verdict: Verdict) -> str:
    bug = verdict.bug
    by = "<br>".join(told(bite.test) for bite in verdict.bites) if not verdict.problem else f"**{verdict.problem}**"
    seconds = "<br>".join(f"{bite.seconds:.0f}" for bite in verdict.bites)
    return f"| {bug.name.partition('-')[0]} | {bug.what} | {bug.money} | {by} | {seconds} |\n"
