"""Whether a database is one that the service can work in: its encoding, its schema, its grants, its sequences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncConnection, ConnectionInfo, sql
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from app.platform.postgres.grants import GROUP, LACKING, MIGRATIONS_TABLE, Granted, asked, in_words
from app.platform.postgres.numbering import Numbered
from app.platform.postgres.pool import Pool, session
from app.platform.postgres.rules import misread
from app.platform.postgres.sessions import UnfitSession, begin_session

ENCODING = "UTF8"

_MIGRATIONS = sql.SQL("SELECT migration_id FROM {}").format(sql.Identifier(MIGRATIONS_TABLE))
_READABLE = "SELECT has_table_privilege(to_regclass(%s), 'SELECT')"
_MEMBER = "SELECT bool_or(pg_has_role(oid, 'USAGE')) FROM pg_roles WHERE rolname = %s"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a database has to have: migrations, by name, what may be done in it, and what is numbered in it."""

    migrations: Sequence[str]
    grants: Sequence[Granted]
    sequences: Sequence[Numbered]


def wrong_encoding(info: ConnectionInfo) -> str | None:
    """What is wrong with the encoding of the database; None when it takes every text."""
    encoding = info.parameter_status("server_encoding")
    return None if encoding == ENCODING else f"{encoding}, which does not hold every text: it has to be {ENCODING}"


async def migrations_of(connection: AsyncConnection[Any]) -> frozenset[str]:
    """The migrations that were run in the database; none where that cannot be read."""
    if await _all(connection, _READABLE, (MIGRATIONS_TABLE,)) != [(True,)]:
        return frozenset()
    return frozenset(name for (name,) in await _all(connection, _MIGRATIONS))


async def problems(connection: AsyncConnection[Any], expected: Expected) -> Mapping[str, str]:
    """What keeps the service from its work in this database, by name; empty when nothing does."""
    if encoding := wrong_encoding(connection.info):
        return {"encoding": encoding}
    lacking = [line for (line,) in await _all(connection, LACKING, asked(None, expected.grants))]
    had = await migrations_of(connection)
    behind = [name for name in expected.migrations if name not in had]
    if behind and (had or not lacking):  # else they cannot be read, or there are none
        return {"migrations": f"behind: {', '.join(behind)}; run `strongbox migrate up`"}
    if lacking:
        return {"privileges": f"lacks {in_words(lacking)}; {await _who_grants(connection)}"}
    return await misread(connection) or await _out_of_place(connection, expected.sequences)


async def _who_grants(connection: AsyncConnection[Any]) -> str:
    if await _all(connection, _MEMBER, (GROUP,)) == [(False,)]:
        return f"make the login role a member of {GROUP}"
    return "run `strongbox migrate up`"


async def _out_of_place(connection: AsyncConnection[Any], sequences: Sequence[Numbered]) -> Mapping[str, str]:
    behind = []
    for numbered in sequences:
        ((place, newest),) = await _all(connection, numbered.places)
        if place < newest:
            behind.append(f"{numbered.table}.{numbered.column} stands at {place}, its rows at {newest}")
    return {"sequences": f"behind: {', '.join(behind)}; run `strongbox migrate up`"} if behind else {}


async def _all(
    connection: AsyncConnection[Any],
    query: str | sql.Composed,
    parameters: Mapping[str, object] | Sequence[object] = (),
) -> list[tuple[Any, ...]]:
    return await (await connection.execute(query, parameters)).fetchall()


class SchemaReader:
    """Looks at the database of a pool."""

    def __init__(self, pool: Pool, expected: Expected) -> None:
        self._pool = pool
        self._expected = expected

    async def problems(self) -> Mapping[str, str]:
        """What keeps the service from its work, by name; empty when nothing does."""
        try:
            async with session(self._pool) as connection:
                await begin_session(connection, {})  # behind a pooler it is another one now
                return await problems(connection, self._expected)
        except UnfitSession as error:
            return {"session": str(error).partition(":")[0]}
        except (psycopg.Error, PoolTimeout, PoolClosed, TooManyRequests):
            await self._pool.check()
            return {"database": "out of reach"}
