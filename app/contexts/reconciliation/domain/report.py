"""The gateway's report of a day, as far as it is read here: its header, and the day of its first line."""

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import chain
from typing import Final

from app.contexts.reconciliation.domain.refusals import NotAReport

COLUMNS: Final = ("type", "charge_id", "payment_id", "refund_id", "amount", "currency", "occurred_at")
HEADER: Final = ",".join(COLUMNS)
MOST_OF_A_LINE: Final = 4096
"""Bytes: more than any line of a report has."""


class Report:
    """A report by its bytes, some at a time. They are read once.

    Raises:
        NotAReport: it does not begin as one.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        rest = iter(pieces)
        beginning = _beginning(rest)
        lines = beginning.split(b"\n", 2)
        if lines[0].removesuffix(b"\r") != HEADER.encode():
            raise NotAReport("line 1", f"must be {HEADER}")
        self._first = lines[1] if len(lines) > 1 else b""
        self.pieces: Iterator[bytes] = chain((beginning,), rest)

    @property
    def day(self) -> date:
        """The day of the first line, in UTC.

        Raises:
            NotAReport: there is no line, or none that tells.
        """
        if not self._first.strip():
            raise NotAReport("date", "is needed: the report has no line that would tell the day")
        try:
            (fields,) = csv.reader([self._first.decode("ascii")])
            at = datetime.fromisoformat(fields[len(COLUMNS) - 1])
            return (at.astimezone(UTC) if at.tzinfo else at).date()
        except (ValueError, IndexError, OverflowError, csv.Error):
            raise NotAReport("line 2", f"must be {HEADER}, and its occurred_at a time of RFC 3339") from None


def _beginning(pieces: Iterator[bytes]) -> bytes:
    """The report up to the end of its first line behind the header, or further."""
    found = b""
    for piece in pieces:
        found += piece
        if found.count(b"\n") > 1 or len(found) > MOST_OF_A_LINE:
            break
    return found
