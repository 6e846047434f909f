"""What operators do in a database from the command line, and who they are to the record of it."""

import getpass
import os
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeVar

import psycopg
from psycopg_pool import PoolTimeout

from app.kernel.errors import Unavailable
from app.platform.operations.actions import NotRecorded
from app.platform.postgres.actions import PostgresActions
from app.platform.postgres.errors import Fault, fault
from app.platform.postgres.home import MigrationError
from app.platform.postgres.inspection import inspecting, why
from app.platform.postgres.pool import Pool, lock_patience_ms

T = TypeVar("T")

PATIENCE_MS = 4_000
"""How long a command waits for rows that payments keep busy."""

ASK_S = 5.0
"""How long it is asked why there is no connection."""

_MESSAGES = {
    Fault.BUSY: "someone else holds what is to be changed; try again",
    Fault.CONFLICT: "it met another change of the same; try again",
    Fault.LOST: "the connection was lost, and whether it was done is not known: look before you try again",
    Fault.AWAY: "the database cannot be reached",
}


async def with_pool(pool: Pool, url: str, action: Callable[[], Awaitable[T]]) -> T:
    """Run the action with the pool open, on the database at `url`.

    Raises:
        Unavailable, MigrationError: see `with_pools`.
    """
    return await with_pools((pool,), url, action)


async def with_pools(pools: Collection[Pool], url: str, action: Callable[[], Awaitable[T]]) -> T:
    """Run the action with the pools open, the first of them on the database at `url`.

    Raises:
        Unavailable: the database does not take it now; the message says whether it may have happened.
        MigrationError: the schema is behind.
    """
    lock_patience_ms.set(PATIENCE_MS)
    try:
        for pool in pools:
            await pool.open(wait=True, timeout=10.0)
        return await action()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege) as error:
        raise MigrationError(why(error)) from None
    except psycopg.errors.ReadOnlySqlTransaction as error:
        raise Unavailable("the database takes no writes: nothing was done") from error
    except (PoolTimeout, psycopg.Error) as error:
        if fault(error) is Fault.OTHER:
            raise
        if isinstance(error, PoolTimeout):
            await _say_why_there_is_none(url)
        raise Unavailable(_MESSAGES[fault(error)]) from error
    finally:
        for pool in pools:
            await pool.close()


async def _say_why_there_is_none(url: str) -> None:
    """A pool that has no connection does not say why: ask for one outside it."""
    async with inspecting(url, ASK_S):
        pass


async def record_done(url: str, action: str, details: Mapping[str, object]) -> None:
    """Record what was done.

    Raises:
        NotRecorded: it is not in `audit.actions`; the message says that it is done.
    """
    try:
        await actions(url).record(action, details)
    except NotRecorded as error:
        raise NotRecorded(f"done, but {error}") from error


def actions(url: str) -> PostgresActions:
    """The record of what whoever runs this process does; it may be in another database than the books."""
    return PostgresActions(url, _operator())


def _operator() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        return f"uid {os.getuid()}"
