"""Connections to PostgreSQL: bounded in number, in waiting, and in what a session may do unwatched."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from typing import Any, Self

import structlog
from psycopg import AsyncConnection
from psycopg.errors import OperationalError, ReadOnlySqlTransaction
from psycopg_pool import AsyncConnectionPool

from app.platform.postgres.sessions import Settings, begin_session, reason, session_url

Pool = AsyncConnectionPool[AsyncConnection]

_log = structlog.get_logger(__name__)

LOCK_TIMEOUT_MS = 500
STATEMENT_TIMEOUT_MS = 5_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 5_000

SILENCE_S = 8.0
"""What no work takes whose server is alive: its limits on locks and statements end it before."""

WAIT_S = 1.0
"""What a connection is waited for at the most: a database that is away is answered for, not waited for."""

RECONNECT_S = 1.0
"""How long a pool tries to connect. Where it has given up the next request begins a fresh attempt at once."""

CHECK_S = 2.0
"""What no statement takes that asks for nothing but an answer."""

SAID_AGAIN_S = 60.0
"""How long it is not said again why there is no connection."""

lock_patience_ms: ContextVar[int] = ContextVar("lock_patience_ms", default=LOCK_TIMEOUT_MS)
"""How long a transaction begun in this context waits for a lock."""

_SESSION: Settings = {
    "lock_timeout": LOCK_TIMEOUT_MS,
    "statement_timeout": STATEMENT_TIMEOUT_MS,
    "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT_MS,
    # A generic plan that was made while the tables were small stays a sequential scan for good.
    "plan_cache_mode": "force_custom_plan",
}


async def connect(url: str, application_name: str, **settings: int | str) -> AsyncConnection[Any]:
    """A connection of its own, in autocommit. `settings` are settings of PostgreSQL beyond this service's own.

    Raises:
        psycopg.Error: there is none to be had; `UnfitSession` where a setting of it is wrong.
    """
    connection = await AsyncConnection.connect(session_url(url, application_name), autocommit=True)
    try:
        await _begin(connection, settings)
    except BaseException:
        await connection.close()
        raise
    return connection


class _Connection(AsyncConnection[Any]):
    """A pool's connection. Where there is none to be had it says why: the pool does not."""

    @classmethod
    async def connect(cls, *arguments: Any, **settings: Any) -> Self:
        try:
            return await super().connect(*arguments, **settings)
        except OperationalError as error:
            _say(reason(error))
            raise


_said: dict[str, float] = {}


def _say(why: str) -> None:
    """Log why there is no connection. The same is said once a minute: every pool tries again and again."""
    now = time.monotonic()
    if now >= _said.get(why, now):
        _said[why] = now + SAID_AGAIN_S
        _log.warning("database_out_of_reach", reason=why)


class _Pool(AsyncConnectionPool[AsyncConnection]):
    """A pool that does not wait without end when it looks whether a connection still works."""

    @staticmethod
    async def check_connection(conn: AsyncConnection) -> None:
        with hanging_up_after(CHECK_S, conn):
            await AsyncConnectionPool.check_connection(conn)


def make_pool(url: str, application_name: str, size: int, **session: int | str) -> Pool:
    """A pool of up to `size` connections, closed. Connections are in autocommit: transactions are begun by name.

    `session` are settings of PostgreSQL beyond this service's own.
    """
    return _Pool(
        session_url(url, application_name),
        connection_class=_Connection,
        min_size=1,
        max_size=size,
        open=False,
        timeout=WAIT_S,
        max_waiting=256,
        reconnect_timeout=RECONNECT_S,
        max_idle=300.0,
        name=application_name,
        configure=partial(_configure, settings=session),
        kwargs={"autocommit": True},
    )


@asynccontextmanager
async def session(pool: Pool) -> AsyncIterator[AsyncConnection]:
    """A connection of the pool, for one piece of work.

    A server that falls silent (a host without power, a pooler that hangs) would be waited for without end: after
    `SILENCE_S` we hang up, and the work sees a lost connection. One that may no longer write is not used again.
    """
    async with pool.connection() as connection:
        try:
            with hanging_up_after(SILENCE_S, connection):
                yield connection
        except ReadOnlySqlTransaction:
            await connection.close()
            raise


@contextmanager
def hanging_up_after(limit_s: float, connection: AsyncConnection[Any]) -> Iterator[None]:
    """Hang up on a connection that is still being waited for after so long."""
    silence = asyncio.get_running_loop().call_later(limit_s, hang_up, connection)
    try:
        yield
    finally:
        silence.cancel()


def hang_up(connection: AsyncConnection[Any]) -> None:
    """Shut the connection down under whoever waits for its server, who sees it lost."""
    # Not by cancelling: psycopg would wait for the server's answer to that, too.
    with suppress(OSError, OperationalError), socket.socket(fileno=os.dup(connection.fileno())) as same:
        same.shutdown(socket.SHUT_RDWR)


def has_own_session(connection: AsyncConnection) -> bool:
    """Whether it has this service's settings, and what is prepared on it is there for its next statement."""
    return connection.prepare_threshold is not None


async def _begin(connection: AsyncConnection[Any], settings: Settings) -> None:
    """Prepare statements only in a session of our own: behind a pooler it may be another client's, or soon will be."""
    with hanging_up_after(CHECK_S, connection):
        if not await begin_session(connection, {**_SESSION, **settings}):
            connection.prepare_threshold = None


async def _configure(connection: AsyncConnection[Any], settings: Settings) -> None:
    try:
        await _begin(connection, settings)
    except OperationalError as error:
        _say(reason(error))
        await connection.close()  # the pool only forgets it, and it would keep its place until the collector comes
        raise
