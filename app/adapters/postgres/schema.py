"""Whether the database is there, and its schema up to date."""

from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from app.adapters.postgres.pool import Pool, session
from app.adapters.postgres.rules import misread
from app.adapters.sessions import UnfitSession, begin_session


class SchemaReader:
    """Compares the migrations that the database has with those that this program was written for."""

    def __init__(self, pool: Pool, table: str, wanted: Sequence[str]) -> None:
        self._pool = pool
        self._query = sql.SQL("SELECT migration_id FROM {}").format(sql.Identifier(table))
        self._wanted = frozenset(wanted)

    async def problems(self) -> Mapping[str, str]:
        """What keeps the service from its work, by name; empty when nothing does."""
        try:
            async with session(self._pool) as connection:
                await begin_session(connection, {})  # behind a pooler it is another one now
                rows = await (await connection.execute(self._query)).fetchall()
                rules = await misread(connection)
        except UnfitSession as error:
            return {"session": str(error).partition(":")[0]}
        except (psycopg.Error, PoolTimeout, PoolClosed, TooManyRequests):
            await self._pool.check()
            return {"database": "out of reach"}
        missing = sorted(self._wanted - {name for (name,) in rows})
        return {"migrations": f"behind: {', '.join(missing)}; run `strongbox migrate up`"} if missing else rules
