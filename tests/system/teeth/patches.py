"""The planted bugs: each a small patch against the code as it is, with its story on top."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "bugs"
_FIELD: Final = re.compile(r"^(Bug|Money|Caught-by|Complaint): (.+)$", re.MULTILINE)


class DoesNotApply(Exception):  # noqa: N818 -- it says what the patch does
    """A patch is not against the code as it is."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """Whole lines that stand exactly once in a file, and what takes their place."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Bug:
    """A mistake that could have been made: what it is, what it would do to money, and the tests that see it.

    With each test comes a piece of what it says then: one that fails with other words has not seen it.
    """

    name: str
    what: str
    money: str
    caught_by: Mapping[str, str]
    hunks: tuple[Hunk, ...]

    def plant(self, root: Path) -> None:
        """Change the files under the root.

        Raises:
            DoesNotApply: what a hunk wants to change is not there exactly once; the message names patch and file.
        """
        for hunk in self.hunks:
            file = root / hunk.path
            before = file.read_text(encoding="utf-8") if file.exists() else ""
            places = [match.start() for match in re.finditer(f"^(?={re.escape(hunk.old)})", before, re.MULTILINE)]
            if len(places) != 1:
                raise DoesNotApply(
                    f"{self.name}: {hunk.path} has these lines {len(places)} times, not once:\n{hunk.old}"
                )
            after = before[: places[0]] + hunk.new + before[places[0] + len(hunk.old) :]
            file.write_text(after, encoding="utf-8")


def read(file: Path) -> Bug:
    """A bug from its patch: a diff below the fields `Bug`, `Money`, and pairs of `Caught-by` and `Complaint`."""
    header, _, diff = file.read_text(encoding="utf-8").partition("\n--- a/")
    fields = _FIELD.findall(header)
    (what,) = (text for name, text in fields if name == "Bug")
    (money,) = (text for name, text in fields if name == "Money")
    tests, complaints = ([text for name, text in fields if name == wanted] for wanted in ("Caught-by", "Complaint"))
    caught_by = dict(zip(tests, complaints, strict=True))
    hunks = tuple(hunk for part in diff.split("\n--- a/") for hunk in _hunks(part))
    return Bug(file.stem, what, money, caught_by, hunks)


def all_bugs() -> list[Bug]:
    """Every bug, by number."""
    return [read(file) for file in sorted(FOLDER.glob("*.patch"))]


def _hunks(part: str) -> list[Hunk]:
    names, *bodies = re.split(r"^@@ .*@@.*\n", part, flags=re.MULTILINE)
    path = names.split(maxsplit=1)[0]
    return [Hunk(path, _side(body, "-"), _side(body, "+")) for body in bodies]


def _side(body: str, sign: str) -> str:
    return "".join(line[1:] or "\n" for line in body.splitlines(keepends=True) if line[0] in (" ", sign, "\n"))
