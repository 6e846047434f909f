"""Connections for operators' looks at a database: one snapshot, read only, and an end to waiting."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from uuid import UUID

import psycopg
from psycopg import AsyncConnection, IsolationLevel

from app.kernel.errors import Unavailable
from app.platform.postgres.pipeline import Row
from app.platform.postgres.pool import connect, hanging_up_after
from app.platform.postgres.sessions import UnfitSession, is_away, reason

Session = AsyncConnection[Row]
"""A connection that is somebody's alone for a while, its rows as they come."""


@asynccontextmanager
async def inspecting(url: str, within_s: float | None) -> AsyncIterator[Session]:
    """A connection that sees the database as it is at its first statement, and writes nothing.

    With None for `within_s` it may take its time.

    Raises:
        Unavailable: the database is out of reach, did not answer within `within_s`, or does not let us look.
    """
    settings = {"statement_timeout": int((within_s or 0) * 1000), "idle_in_transaction_session_timeout": 0}
    try:
        connection = await connect(url, "strongbox-inspect", **settings)
        try:
            await connection.set_autocommit(False)
            # One that falls silent would be waited for without end.
            with hanging_up_after(within_s, connection) if within_s else nullcontext():
                await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
                await connection.set_read_only(True)
                yield connection
        finally:
            await connection.close()
    except psycopg.Error as error:
        raise Unavailable(why(error)) from error


async def see_tenant(session: Session, tenant_id: UUID | str) -> None:
    """From here on the session sees this tenant's rows, as long as its transaction lasts; those of nobody where it is
    empty."""
    await session.execute(b"SELECT set_config('app.current_tenant', %s, true)", (str(tenant_id),))


async def found(session: Session, query: str, known: Mapping[str, object]) -> list[Row]:
    """What the query finds, all at once."""
    return await (await session.execute(query.encode(), known)).fetchall()


def why(error: psycopg.Error) -> str:
    """What the error says to an operator, without a value of any row."""
    match error:
        case psycopg.errors.UndefinedTable() | psycopg.errors.InvalidSchemaName():
            return f"{error.diag.message_primary}: run `strongbox migrate up` first"
        case psycopg.errors.InsufficientPrivilege():
            return (
                f"{error.diag.message_primary}: run `strongbox migrate up`, or is the login no member of strongbox_app?"
            )
        case UnfitSession():
            return f"the database cannot be used: {error}"
        case psycopg.errors.QueryCanceled():
            return "the database did not answer in time"
        case _ if is_away(error):
            return f"the database cannot be reached: {reason(error)}"
        case _:
            return f"the database refused: {type(error).__name__}"
