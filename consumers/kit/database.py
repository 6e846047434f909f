"""A consumer's one connection to its database, made again when it broke."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

# A consumer waits for nothing longer than this: not for a lock, a statement, or itself in the middle of a transaction.
_LIMITS: Final = (
    "-c lock_timeout=5000 -c statement_timeout=15000 -c idle_in_transaction_session_timeout=15000 -c TimeZone=UTC"
)


class DatabaseAway(ConnectionError):  # noqa: N818 -- it says what the database is, for now
    """The database is out of reach, or cannot do anything for now. It says nothing about any message."""


class Database:
    """One connection, for one user at a time. `name` is what PostgreSQL shows of it."""

    def __init__(self, url: str, name: str) -> None:
        given = conninfo_to_dict(url)
        self._conninfo = make_conninfo(
            url,
            application_name=name,
            options=f"{given.get('options') or ''} {_LIMITS}".strip(),
            target_session_attrs=given.get("target_session_attrs") or "read-write",
            connect_timeout=given.get("connect_timeout") or "3",
            tcp_user_timeout=given.get("tcp_user_timeout") or "5000",
            keepalives_idle=given.get("keepalives_idle") or "5",
            keepalives_interval=given.get("keepalives_interval") or "2",
            keepalives_count=given.get("keepalives_count") or "3",
        )
        self._connection: AsyncConnection[Any] | None = None
        self._free = asyncio.Lock()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        """The connection, in autocommit mode.

        Raises:
            DatabaseAway: there is none, or it broke, or the database refused for a reason that no message is to blame
                for. Whether a COMMIT under way took effect is not known then.
        """
        async with self._free:
            try:
                yield await self._connected()
            except (psycopg.DataError, psycopg.IntegrityError):
                raise  # the message's fault (SQLSTATE classes 22 and 23); its transaction is rolled back
            except psycopg.Error as error:
                await self._drop()
                raise DatabaseAway(f"{type(error).__name__} {error.sqlstate or ''}".rstrip()) from error
            except asyncio.CancelledError:
                await self._drop()
                raise

    async def close(self) -> None:
        """Close the connection."""
        async with self._free:
            await self._drop()

    async def _connected(self) -> AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            # Never prepared: few statements, each for many rows, and a pooler in transaction mode may stand between.
            self._connection = await AsyncConnection.connect(self._conninfo, autocommit=True, prepare_threshold=None)
        return self._connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
