"""Run several statements in one round trip: one write, one wait, and no work done twice for any of them.

psycopg's cursors flush with each statement, which wakes the server as often, and look through each list for the types
of its elements. A dozen statements over twenty payments took 2.4 ms of this process that way; they take 0.7 ms so.
All that leans on psycopg's insides leans on them here.
"""

import itertools
import re
import struct
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any, Final
from weakref import WeakKeyDictionary

from psycopg import AsyncConnection, pq
from psycopg.abc import PQGen
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.generators import fetch_many, send
from psycopg.pq.abc import PGresult

from app.platform.postgres.pool import has_own_session

Row = tuple[Any, ...]
Encode = Callable[[Any], bytes | None]

_PARAMETER: Final = re.compile(r"%b::(\w+(?:\[\])?)")
_LENGTH: Final = struct.Struct(">i").pack
_SMALLINT: Final = struct.Struct(">ih").pack
_BIGINT: Final = struct.Struct(">iq").pack
_FLOAT8: Final = struct.Struct(">id").pack
_BOOLEAN: Final = struct.Struct(">i?").pack
_ARRAY: Final = struct.Struct(">iii").pack
_DIMENSION: Final = struct.Struct(">ii").pack
_NULL: Final = _LENGTH(-1)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

OUT_OF_STEP: Final = frozenset({"26000", "42P05"})
"""The server knows a name that we have not noted, or not one that we have: then the connection ends."""

# The statements that each connection's server has prepared. A connection is let go of with its last user.
_prepared: "WeakKeyDictionary[AsyncConnection, set[bytes]]" = WeakKeyDictionary()


# A list at a time, without a call for each value: most of what is sent are identifiers and texts by the dozen.


def _bigints(values: Sequence[Any]) -> list[bytes]:
    return [_NULL if value is None else _BIGINT(8, value) for value in values]


def _booleans(values: Sequence[Any]) -> list[bytes]:
    return [_NULL if value is None else _BOOLEAN(1, value) for value in values]


def _byteas(values: Sequence[Any]) -> list[bytes]:
    return [_NULL if value is None else _LENGTH(len(value)) + value for value in values]


def _float8s(values: Sequence[Any]) -> list[bytes]:
    return [_NULL if value is None else _FLOAT8(8, value) for value in values]


def _smallints(values: Sequence[Any]) -> list[bytes]:
    return [_NULL if value is None else _SMALLINT(2, value) for value in values]


def _texts(values: Sequence[Any]) -> list[bytes]:
    return [_NULL if value is None else _LENGTH(len(utf8 := value.encode())) + utf8 for value in values]


def _timestamptzs(values: Sequence[Any]) -> list[bytes]:
    return [_NULL if value is None else _BIGINT(8, (value - _EPOCH) // _MICROSECOND) for value in values]


def _uuids(values: Sequence[Any]) -> list[bytes]:
    return [_NULL if value is None else b"\x00\x00\x00\x10" + value.int.to_bytes(16, "big") for value in values]


# How PostgreSQL reads values of the type in binary, each with its length in front, and the type's number (in pg_type).
_ELEMENTS: Final[dict[str, tuple[Callable[[Sequence[Any]], list[bytes]], int]]] = {
    "bigint": (_bigints, 20),
    "boolean": (_booleans, 16),
    "bytea": (_byteas, 17),
    "float8": (_float8s, 701),
    "smallint": (_smallints, 21),
    "text": (_texts, 25),
    "timestamptz": (_timestamptzs, 1184),
    "uuid": (_uuids, 2950),
}


def _encoder(type_name: str) -> Encode:
    encode, oid = _ELEMENTS[type_name.removesuffix("[]")]

    def array(values: Sequence[Any]) -> bytes:
        if not values:
            return _ARRAY(0, 0, oid)
        elements = encode(values)
        return b"".join((_ARRAY(1, _NULL in elements, oid), _DIMENSION(len(elements), 1), *elements))

    def scalar(value: Any) -> bytes | None:
        return None if value is None else encode((value,))[0][4:]

    return array if type_name.endswith("[]") else scalar


class Statement:
    """A statement. Its parameters are written `%b::type`, as psycopg takes them, too.

    One that is not `prepared` is parsed anew each time: where there are too many for a session to know them all.
    """

    def __init__(self, text: str, *, prepared: bool = True) -> None:
        self.text = text
        self.is_prepared = prepared
        self._encoders = [_encoder(name) for name in _PARAMETER.findall(text)]
        numbers = itertools.count(1)
        self.sql = _PARAMETER.sub(lambda found: f"${next(numbers)}::{found[1]}", text).encode()
        self.name = b"strongbox_" + sha256(self.sql).hexdigest()[:16].encode()
        self.formats = [pq.Format.BINARY] * len(self._encoders)

    def encode(self, values: Sequence[Any]) -> list[bytes | None]:
        """The parameters as they are sent."""
        return [encode(value) for encode, value in zip(self._encoders, values, strict=True)]


Call = tuple[Statement, Sequence[Any]]


def columns(rows: Sequence[Sequence[object]]) -> list[tuple[Any, ...]]:
    """The rows, one at least, as the arrays that `unnest` takes."""
    return list(zip(*rows, strict=True))


async def run(connection: AsyncConnection, calls: Sequence[Call]) -> list[list[Row]]:
    """Run the statements with their values, one after the other; the rows of each.

    Raises:
        psycopg.Error: the first that failed; those behind it did not run.
    """
    async with connection.lock:
        prepared = _prepared.setdefault(connection, set())
        commands, names = _commands(connection, calls, prepared)
        try:
            results = await connection.wait(_exchange(connection.pgconn, commands))
        except BaseException:
            await connection.close()  # in the middle of an exchange: nobody else can use it
            raise
    answers: list[PGresult] = []
    for name, (result, *_) in zip(names, results[:-1], strict=True):
        if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
            error = error_from_result(result)
            if error.sqlstate in OUT_OF_STEP:
                await connection.close()
            raise error
        if name is None:
            answers.append(result)
        else:
            prepared.add(name)
    return [_rows(connection, answer) for answer in answers]


def _commands(
    connection: AsyncConnection, calls: Sequence[Call], prepared: Collection[bytes]
) -> tuple[list[Callable[[], None]], list[bytes | None]]:
    """What is sent, the end of it included; and for each command but that the name that it prepares, if it does."""
    pgconn = connection.pgconn
    commands: list[Callable[[], None]] = []
    names: list[bytes | None] = []
    for statement, values in calls:
        parameters = statement.encode(values)
        if has_own_session(connection) and statement.is_prepared:
            if statement.name not in prepared and statement.name not in names:
                commands.append(partial(pgconn.send_prepare, statement.name, statement.sql))
                names.append(statement.name)
            execute = partial(pgconn.send_query_prepared, statement.name)
        else:
            execute = partial(pgconn.send_query_params, statement.sql)
        commands.append(partial(execute, parameters, param_formats=statement.formats, result_format=pq.Format.BINARY))
        names.append(None)
    commands.append(pgconn.pipeline_sync)
    return commands, names


def _rows(connection: AsyncConnection, result: PGresult) -> list[Row]:
    if not result.ntuples:
        return []
    transformer = Transformer(connection)
    transformer.set_pgresult(result)
    return transformer.load_rows(0, result.ntuples, tuple)


def _exchange(pgconn: Any, commands: Sequence[Callable[[], None]]) -> PQGen[list[list[PGresult]]]:
    """Send the commands with one write, and read what is answered: a list of results for each."""
    pgconn.enter_pipeline_mode()
    for command in commands:
        command()
    yield from send(pgconn)  # reads as well: a server whose answers nobody takes would take no more either
    results = []
    for _ in commands:
        results.append((yield from fetch_many(pgconn)))  # noqa: PERF401 -- a comprehension cannot yield
    pgconn.exit_pipeline_mode()
    return results
