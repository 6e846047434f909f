"""What commands show: tables for people, JSON for programs, a bar while something takes its time."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

import click
import msgspec

_BAR = 24


class Progress(Protocol):
    """Told what is under way, and how much of how much is done."""

    def __call__(self, name: str, done: int, of: int) -> None: ...


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
    """Rows under a head, aligned: numbers to the right, all else to the left."""
    cells = [list(head), *([cell(value) for value in row] for row in rows)]
    widths = [max(len(row[nth]) for row in cells) for nth in range(len(head))]
    right = [bool(rows) and all(isinstance(row[nth], int) for row in rows) for nth in range(len(head))]
    lines = (
        "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)) for row in cells
    )
    return "\n".join(f"{indent}{line.rstrip()}" for line in lines)


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
