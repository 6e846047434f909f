"""What commands show: tables for people, JSON for programs, a bar while something takes its time."""

import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click
import msgspec

from app.platform.process.progress import Progress

_BAR = 24
_CONTINUED = "    "


@contextmanager
def progress_bar(shown: bool) -> Iterator[Progress]:
    """A bar on standard error: what is under way, and the share that is done. Gone at the end.

    Not by the way of the log, which is a moment behind: what comes on standard output would meet it.
    """

    def show(name: str, done: int, of: int) -> None:
        if shown:
            done, of = min(done, max(of, 1)), max(of, 1)
            filled = _BAR * done // of
            bar = "█" * filled + "░" * (_BAR - filled)
            click.echo(f"\r\x1b[K{bar} {100 * done // of:3d} %  {name} …", nl=False, file=sys.__stderr__)

    try:
        yield show
    finally:
        if shown:
            click.echo("\r\x1b[K", nl=False, file=sys.__stderr__)


def on_a_terminal() -> bool:
    """Whether somebody watches."""
    return sys.stderr.isatty()


def as_json(value: Any) -> str:
    """The value as JSON, indented."""
    return msgspec.json.format(msgspec.json.encode(value)).decode()


def table(head: Sequence[str], rows: Sequence[Sequence[object]], indent: str = "") -> str:
    """Rows under a head, aligned: numbers to the right, all else to the left.

    Where a terminal is too narrow for all columns the last of them go below, in a line of their own.
    """
    cells = [list(head), *([cell(value) for value in row] for row in rows)]
    widths = [max(len(row[nth]) for row in cells) for nth in range(len(head))]
    right = [bool(rows) and all(isinstance(row[nth], int) for row in rows) for nth in range(len(head))]
    first, *below = _lines_of(widths, len(indent))
    lines = []
    for row in cells:
        aligned = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)]
        lines.append(f"{indent}{'  '.join(aligned[first])}")
        more = (f"{indent}{_CONTINUED}{'  '.join(aligned[part])}" for part in below)
        lines += (line for line in more if line.strip())
    return "\n".join(line.rstrip() for line in lines)


def _lines_of(widths: Sequence[int], indent: int) -> list[slice]:
    """Which columns stand in one line."""
    limit, begin, room, found = columns(), 0, 0, []
    for nth, width in enumerate(widths):
        taken = room + width + (2 if nth > begin else 0)
        if limit is not None and nth > begin and indent + taken > limit:
            found.append(slice(begin, nth))
            begin, taken = nth, len(_CONTINUED) + width
        room = taken
    return [*found, slice(begin, len(widths))]


def columns() -> int | None:
    """How wide the terminal is; None where the output goes elsewhere, which folds nothing."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def show(text: str) -> None:
    """Print a text; on a terminal lines that are too long go on below where their last column begins."""
    limit = columns()
    click.echo(text if limit is None else "\n".join(_folded(line, limit) for line in text.split("\n")))


def _folded(line: str, limit: int) -> str:
    plain = click.unstyle(line)
    if len(plain) <= limit:
        return line
    gaps = [gap.end() for gap in re.finditer(r"(?<=\S) {2,}|^ +", plain[: limit // 2])]
    below = " " * (gaps[-1] if gaps else 2)
    return textwrap.fill(line, limit, subsequent_indent=below, break_long_words=False, break_on_hyphens=False)


def cell(value: object) -> str:
    """The value as text without anything that a terminal would act on."""
    match value:
        case None:
            return "-"
        case datetime():
            return moment(value)
        case Mapping():
            return " ".join(f"{name}={cell(of)}" for name, of in value.items() if of is not None)
        case _:
            return "".join(c if c.isprintable() else "·" for c in str(value))


def moment(at: datetime) -> str:
    """The time in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00") + "Z"


def ago(seconds: float) -> str:
    """A span of time, for people."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
