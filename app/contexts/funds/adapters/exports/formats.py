"""The formats of an export: how a line is written, and read back."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final, Protocol
from uuid import UUID

from app.contexts.funds.application.check_export import Unreadable
from app.contexts.funds.application.export import LedgerLine
from app.platform.http.shapes import timestamp

COLUMNS: Final = LedgerLine._fields
WHOLE: Final = ("amount", "balance_after", "wallet_version")
IDS: Final = ("transaction_id", "user_id", "counterparty", "payment_id", "hold_id", "business_id")


class Writer(Protocol):
    """Writes lines into a file that somebody else opens, closes, and counts."""

    def add(self, line: LedgerLine) -> None:
        """Write one."""
        ...

    def close(self) -> None:
        """Write what is left; it may be closed already."""
        ...


class CsvWriter:
    """RFC 4180, with a header line. Every text in it is a word of ours."""

    def __init__(self, file: IO[bytes]) -> None:
        self._text = _Utf8(file)
        self._rows = csv.writer(self._text)
        self._rows.writerow(COLUMNS)

    def add(self, line: LedgerLine) -> None:
        """See `Writer.add`."""
        self._rows.writerow((timestamp(line.created_at), *line[1:]))

    def close(self) -> None:
        """See `Writer.close`."""


class JsonLinesWriter:
    """A JSON object a line."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._encode = json.JSONEncoder(default=str, separators=(",", ":")).encode

    def add(self, line: LedgerLine) -> None:
        """See `Writer.add`."""
        object_ = {**line._asdict(), "created_at": timestamp(line.created_at)}
        self._file.write(self._encode(object_).encode() + b"\n")

    def close(self) -> None:
        """See `Writer.close`."""


class _Utf8:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(text.encode())


def _read_csv(path: Path) -> Iterator[LedgerLine]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, strict=True)
        if tuple(next(rows, ())) != COLUMNS:
            raise Unreadable("its header line is another")
        for row in rows:
            yield line_of(dict(zip(COLUMNS, (text or None for text in row), strict=True)))


def _read_json_lines(path: Path) -> Iterator[LedgerLine]:
    with path.open("rb") as file:
        for text in file:
            yield line_of(json.loads(text))


def line_of(found: Mapping[str, Any]) -> LedgerLine:
    """The entry that was written so.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    at = found["created_at"]
    read: dict[str, Any] = {
        **found,
        "created_at": at if isinstance(at, datetime) else datetime.fromisoformat(at),
        **{name: None if found[name] is None else _whole(found[name]) for name in WHOLE},
        **{name: None if found[name] is None else UUID(found[name]) for name in IDS},
    }
    return LedgerLine(**read)


def _whole(value: object) -> int:
    if type(value) is int:
        return value
    if isinstance(value, str):
        return int(value)
    raise ValueError("an amount is no whole number")


def _make_parquet(file: IO[bytes]) -> Writer:
    from app.contexts.funds.adapters.exports.parquet import ParquetWriter  # noqa: PLC0415 -- an extra

    return ParquetWriter(file)


def _read_parquet(path: Path) -> Iterator[LedgerLine]:
    from app.contexts.funds.adapters.exports.parquet import read  # noqa: PLC0415 -- an extra

    return read(path)


WRITERS: Final[Mapping[str, Callable[[IO[bytes]], Writer]]] = {
    "csv": CsvWriter,
    "jsonl": JsonLinesWriter,
    "parquet": _make_parquet,
}
"""By the format's name, which is the ending of its files."""
READERS: Final[Mapping[str, Callable[[Path], Iterable[LedgerLine]]]] = {
    "csv": _read_csv,
    "jsonl": _read_json_lines,
    "parquet": _read_parquet,
}


def read_back(format_: str, path: Path) -> Iterator[LedgerLine]:
    """The entries in a file.

    Raises:
        Unreadable: they cannot be read.
    """
    try:
        yield from READERS[format_](path)
    except (csv.Error, KeyError, OSError, TypeError, ValueError) as error:
        raise Unreadable(type(error).__name__) from error
