"""A consumer's one connection to its database, made again when it broke."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection

from app.platform.messaging.faults import is_away, is_the_messages
from app.platform.postgres.sessions import begin_session, reason, session_url

# A consumer waits for nothing longer than this: not for a lock, a statement, or itself in the middle of a transaction.
_LIMITS: Final = {"lock_timeout": 5_000, "statement_timeout": 15_000, "idle_in_transaction_session_timeout": 15_000}


class DatabaseAway(ConnectionError):  # noqa: N818 -- it says what the database is, for now
    """The database is out of reach, or cannot do anything for now. It says nothing about any message."""


class Database:
    """One connection, for one user at a time. `name` is what PostgreSQL shows of it."""

    def __init__(self, url: str, name: str) -> None:
        self._conninfo = session_url(url, name)
        self._connection: AsyncConnection[Any] | None = None
        self._free = asyncio.Lock()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        """The connection, in autocommit mode.

        Raises:
            DatabaseAway: there is none, or it broke, or the database is busy. Whether a COMMIT under way took effect is
                not known then.
        """
        async with self._free:
            try:
                yield await self._connected()
            except (Exception, asyncio.CancelledError) as error:
                if is_the_messages(error):
                    raise  # its transaction is rolled back
                await self._drop()  # what was wrong with the session's settings may be mended in the next one
                if isinstance(error, psycopg.Error) and is_away(error):
                    raise DatabaseAway(reason(error)) from error
                raise

    async def close(self) -> None:
        """Close the connection."""
        async with self._free:
            await self._drop()

    async def _connected(self) -> AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            # Never prepared: few statements, each for many rows, and a pooler in transaction mode may stand between.
            self._connection = await AsyncConnection.connect(self._conninfo, autocommit=True, prepare_threshold=None)
            await begin_session(self._connection, _LIMITS)
        encoding = self._connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise DatabaseAway(
                f"the database is encoded in {encoding}, which does not hold every text: it has to be UTF8"
            )
        return self._connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
