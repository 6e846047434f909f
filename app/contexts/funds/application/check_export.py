"""Check an export: that the files are those of the manifest, and hold what it says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from app.contexts.funds.application.export import DayDone, LedgerLine, Tally, days_of


class Unreadable(Exception):  # noqa: N818 -- it says what the file is
    """The file is not of its format, or has something in it that no entry has."""


class WrittenFolder(Protocol):
    """An export that was written."""

    @property
    def days(self) -> Mapping[date, DayDone]:
        """The days of the manifest."""
        ...

    def stray(self) -> Sequence[str]:
        """The files that belong to no day of it."""
        ...

    def digest(self, day: DayDone) -> tuple[int, str] | None:
        """The bytes that the day's file has, and their SHA-256; None where there is no such file."""
        ...

    def lines(self, day: DayDone) -> Iterator[LedgerLine]:
        """The entries in the day's file.

        Raises:
            Unreadable: they cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked through, and what is wrong with it."""

    days: int
    entries: int
    findings: Sequence[str]


def check_export(folder: WrittenFolder) -> Checked:
    """Read all of it."""
    days = folder.days
    findings = [*(f"{name} is in no manifest" for name in folder.stray())]
    if days:
        findings += [f"{day} is missing" for day in days_of(min(days), max(days)) if day not in days]
    entries = 0
    for day in sorted(days):
        findings += [f"{day}: {finding}" for finding in _wrong_with(folder, days[day])]
        entries += days[day].entries
    return Checked(len(days), entries, findings)


def _wrong_with(folder: WrittenFolder, done: DayDone) -> Iterator[str]:
    found = folder.digest(done)
    if found is None:
        yield f"there is no {done.file}"
        return
    if found != (done.bytes, done.sha256):
        yield f"{done.file} has {found[0]} bytes with SHA-256 {found[1]}, not {done.bytes} with {done.sha256}"
        return
    tally = Tally()
    try:
        for line in folder.lines(done):
            tally.add(line)
            if line.created_at.date() != done.day:
                yield f"entry {tally.entries} is of {line.created_at.date()}"
    except Unreadable as error:
        yield f"{done.file} cannot be read: {error}"
        return
    if (tally.entries, tally.transactions) != (done.entries, done.transactions):
        yield f"{tally.entries} entries of {tally.transactions} transactions, not {done.entries} of {done.transactions}"
    if tally.sums != done.sums:
        yield f"the sums are {_sums(tally.sums)}, not {_sums(done.sums)}"
    for currency, sums in tally.sums.items():
        if total := sum(sums.values()):
            yield f"the entries of {currency} sum to {total}"


def _sums(sums: Mapping[str, Mapping[str, int]]) -> str:
    return ", ".join(f"{of} {currency} on {account}" for currency in sums for account, of in sums[currency].items())
