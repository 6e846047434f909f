"""What the chain keeps: blocks, transactions and logs as they are shown, and its state's nodes, in one SQLite file.

A block is written in one transaction, before anybody is told of it: a process that is killed has lost nothing that it
told. What the operating system had not yet written when the machine itself went down may be gone.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from eth.abc import AtomicWriteBatchAPI
from eth.db.atomic import AtomicDBWriteBatch
from eth.db.backends.base import BaseAtomicDB

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS nodes (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blocks (
    number INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, shown BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS transactions (
    hash TEXT PRIMARY KEY, number INTEGER NOT NULL, position INTEGER NOT NULL, raw BLOB NOT NULL,
    shown BLOB NOT NULL, receipt BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS transactions_of_blocks ON transactions (number, position);
CREATE TABLE IF NOT EXISTS logs (
    number INTEGER NOT NULL, position INTEGER NOT NULL, address TEXT NOT NULL,
    topic0 TEXT, topic1 TEXT, topic2 TEXT, topic3 TEXT, shown BLOB NOT NULL, PRIMARY KEY (number, position)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS logs_by_topic ON logs (topic1);
"""


class Store:
    """The file, or what stands for it in memory (`:memory:`)."""

    def __init__(self, path: str) -> None:
        """Open the file, or make it.

        Raises:
            sqlite3.Error: it cannot be had, or is none of ours.
        """
        self._sql = sqlite3.connect(path, isolation_level=None, timeout=5)
        self._sql.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._sql.execute("PRAGMA journal_mode = WAL")
        self._sql.execute("PRAGMA synchronous = NORMAL")
        self._sql.executescript(_TABLES)
        self.nodes = Nodes(self._sql)

    def close(self) -> None:
        """Leave it in good order."""
        self._sql.close()

    @contextmanager
    def written(self) -> Iterator[None]:
        """All that is written meanwhile is there together, or not at all."""
        self._sql.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._sql.execute("ROLLBACK")
            raise
        self._sql.execute("COMMIT")

    def one(self, query: str, *values: object) -> tuple[Any, ...] | None:
        """The first row."""
        row: tuple[Any, ...] | None = self._sql.execute(query, values).fetchone()
        return row

    def rows(self, query: str, values: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        """All rows."""
        return self._sql.execute(query, tuple(values)).fetchall()

    def write(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Write each row."""
        self._sql.executemany(statement, rows)


class Nodes(BaseAtomicDB):
    """The state's nodes by their hashes, and headers by theirs. None is ever removed: any state of before is there."""

    def __init__(self, sql: sqlite3.Connection) -> None:
        self._sql = sql

    def __getitem__(self, key: bytes) -> bytes:
        row = self._sql.execute("SELECT value FROM nodes WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        return bytes(row[0])

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._sql.execute("INSERT OR REPLACE INTO nodes VALUES (?, ?)", (key, value))

    def __delitem__(self, key: bytes) -> None:
        self._sql.execute("DELETE FROM nodes WHERE key = ?", (key,))

    def _exists(self, key: bytes) -> bool:
        return self._sql.execute("SELECT 1 FROM nodes WHERE key = ?", (key,)).fetchone() is not None

    @contextmanager
    def atomic_batch(self) -> Iterator[AtomicWriteBatchAPI]:
        with AtomicDBWriteBatch._commit_unless_raises(self) as batch:  # noqa: SLF001 -- as every store of the library
            yield batch
