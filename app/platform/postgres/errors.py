"""What a database error means for the work that met it, told by SQLSTATE, never by class or text."""

import functools
from collections.abc import Callable, Coroutine
from enum import Enum, auto
from typing import Any, ParamSpec, TypeVar

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from app.kernel.errors import Unavailable
from app.platform.postgres.pipeline import OUT_OF_STEP

P = ParamSpec("P")
R = TypeVar("R")


class Retry(Exception):  # noqa: N818 -- it asks for something
    """What a work read has changed under it: run it again."""


class NotReplicated(Exception):  # noqa: N818 -- it says what the commit is
    """A COMMIT came through with a warning: its wait for a synchronous standby was given up.

    It stands here, and a failover may lose it. Run again, the work finds what it did, and its COMMIT waits anew.
    """


class Fault(Enum):
    """What to do about an error."""

    CONFLICT = auto()
    """Deadlock or serialization failure: the same again will do."""
    BUSY = auto()
    """A lock or a statement took too long: something in this batch is held by someone else."""
    LOST = auto()
    """The connection is gone, or its server may no longer write: what was sent may have happened."""
    AWAY = auto()
    """The database takes no work at all now: unreachable, full, shutting down."""
    OTHER = auto()
    """A bug, or bad data that got through."""


_CONFLICTS = frozenset({"40001", "40P01"})
_BUSY = frozenset({"55P03", "57014"})  # lock_timeout, statement_timeout
# Failed over, terminated, crash, time-outs of a session in a transaction, of a transaction, of an idle session.
_LOST = frozenset({"25006", "57P01", "57P02", "25P03", "25P04", "57P05"})
_AWAY = frozenset({"57P03"})  # starting up or shutting down


def fault(error: BaseException) -> Fault:
    """Tell what the error asks for."""
    if isinstance(error, Retry):
        return Fault.CONFLICT
    if isinstance(error, NotReplicated):
        return Fault.LOST
    if isinstance(error, PoolTimeout | PoolClosed | TooManyRequests):
        return Fault.AWAY
    if not isinstance(error, psycopg.Error):
        return Fault.OTHER
    state = error.sqlstate
    if state is None:
        return Fault.LOST if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) else Fault.OTHER
    if state in _CONFLICTS:
        return Fault.CONFLICT
    if state in _BUSY:
        return Fault.BUSY
    if state in _LOST or state in OUT_OF_STEP or state.startswith("08"):
        return Fault.LOST
    if state in _AWAY or state.startswith(("53", "58")):  # out of resources (disk, memory, connections); system error
        return Fault.AWAY
    return Fault.OTHER


def reading(read: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Run a read again, once, where its connection was lost; say `Unavailable` for what only time can mend.

    For methods of objects that hold their pool as `_pool`.
    """

    @functools.wraps(read)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await read(*args, **kwargs)
        except (psycopg.Error, PoolTimeout, PoolClosed, TooManyRequests) as error:
            match fault(error):
                case Fault.LOST:
                    # Every pooled connection fails once after a server restart: let the pool look at them all.
                    await args[0]._pool.check()  # type: ignore[attr-defined]  # noqa: SLF001
                case Fault.CONFLICT:
                    pass
                case Fault.OTHER:
                    raise
                case _:
                    raise Unavailable(type(error).__name__) from error
        try:
            return await read(*args, **kwargs)
        except (psycopg.Error, PoolTimeout, PoolClosed, TooManyRequests) as error:
            if fault(error) is Fault.OTHER:
                raise
            raise Unavailable(type(error).__name__) from error

    return guarded


def writing(write: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Run a write again, once, where it met another and is undone; say `Unavailable` for what only time can mend.

    A write whose connection was lost may have happened: it is not run again, and nothing is promised of it. For methods
    of objects that hold their pool as `_pool`.
    """

    @functools.wraps(write)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        for is_last in (False, True):
            try:
                return await write(*args, **kwargs)
            except (NotReplicated, psycopg.Error, PoolTimeout, PoolClosed, TooManyRequests) as error:
                met = fault(error)
                if met is Fault.OTHER:
                    raise
                if met is Fault.LOST:
                    await args[0]._pool.check()  # type: ignore[attr-defined]  # noqa: SLF001
                if met is not Fault.CONFLICT or is_last:
                    raise Unavailable(type(error).__name__) from error
        raise AssertionError("the last time ends it")

    return guarded
