"""A day as Parquet, by pyarrow: an extra, `strongbox[parquet]`."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from app.contexts.funds.adapters.exports.formats import IDS, WHOLE, line_of
from app.contexts.funds.application.export import LedgerLine

ROWS_AT_A_TIME: Final = 20_000

# Plain types, which every reader knows. The day stands by itself: what day a time is of hangs on the reader's zone.
_TYPES: Final = {
    "created_at": pa.timestamp("us", "UTC"),
    **dict.fromkeys(WHOLE, pa.int64()),
}
_NULLABLE: Final = frozenset({"balance_after", "wallet_version", *IDS[2:]})
SCHEMA: Final = pa.schema([
    *(pa.field(name, _TYPES.get(name, pa.string()), nullable=name in _NULLABLE) for name in LedgerLine._fields),
    pa.field("day", pa.date32(), nullable=False),
])  # fmt: skip


class ParquetWriter:
    """Writes row groups. It implements `Writer`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._writer = pq.ParquetWriter(file, SCHEMA, compression="zstd")
        self._lines: list[LedgerLine] = []

    def add(self, line: LedgerLine) -> None:
        """See `Writer.add`."""
        self._lines.append(line)
        if len(self._lines) == ROWS_AT_A_TIME:
            self._write()

    def close(self) -> None:
        """See `Writer.close`."""
        if self._lines:
            self._write()
        self._writer.close()

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        columns = dict(zip(LedgerLine._fields, zip(*lines, strict=True), strict=True))
        for name in WHOLE:
            # pyarrow cuts what is no whole number, without a word.
            if not all(value is None or type(value) is int for value in columns[name]):
                raise TypeError(f"{name} is not whole")
        known: dict[str, list[Any]] = {
            name: [None if value is None else str(value) for value in column] if name in IDS else list(column)
            for name, column in columns.items()
        }
        known["day"] = [line.created_at.date() for line in lines]
        self._writer.write_table(pa.table(known, SCHEMA))


def read(path: Path) -> Iterator[LedgerLine]:
    """The entries in a file.

    Raises:
        ValueError: it is none of ours.
    """
    with pq.ParquetFile(path) as file:
        if not file.schema_arrow.equals(SCHEMA):
            raise ValueError("another schema")
        for batch in file.iter_batches(ROWS_AT_A_TIME):
            for row in batch.to_pylist():
                day = row.pop("day")
                line = line_of(row)
                if line.created_at.date() != day:
                    raise ValueError("a line of another day")
                yield line
