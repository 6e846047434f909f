"""How invariants are checked.

All of them see one snapshot, so that nothing under way raises a false alarm. What they find is streamed: memory stays
bounded however many rows there are.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from psycopg import IsolationLevel

from app.platform.postgres.inspection import Session
from app.platform.postgres.pipeline import Row
from app.platform.postgres.pool import connect

ROWS_AT_A_TIME = 1_000

TRAIL = "audit.events"


@dataclass(frozen=True, slots=True)
class QueryCheck:
    """A claim that holds when its query finds nothing."""

    connection: Session
    name: str
    claim: str
    query: str
    parameters: Mapping[str, object] | None

    async def offenders(self) -> AsyncIterator[str]:
        """What the query finds, a line each."""
        async for (line,) in rows(self.connection, self.query, self.parameters):
            yield line


async def rows(connection: Session, query: str, parameters: Mapping[str, object] | None = None) -> AsyncIterator[Row]:
    """What the query finds, as it comes in: unlike a cursor's, its plan is made for all rows, and may be parallel."""
    async with connection.cursor() as cursor:
        async for row in cursor.stream(query, parameters, size=ROWS_AT_A_TIME):
            yield row


# Behind a pooler nothing can be set for longer. Checks compare rules of tables as PostgreSQL spells them.
_FOR_THIS_TRANSACTION = """
    SELECT set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true),
           set_config('quote_all_identifiers', 'off', true)
"""


@asynccontextmanager
async def snapshot(url: str) -> AsyncIterator[Session]:
    """A connection that sees the database as it is now, for as long as it is open, and writes nothing."""
    connection = await connect(
        url,
        "strongbox-verify",
        statement_timeout=0,
        idle_in_transaction_session_timeout=0,
        work_mem="64MB",
        # Offenders are few, whatever the planner expects: nothing speaks against finding them in parallel.
        parallel_tuple_cost=0,
        jit="off",
        # A query ends with whoever asked, also if the request to cancel it came before it had begun.
        client_connection_check_interval=1_000,
    )
    try:
        await connection.set_autocommit(False)
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await connection.set_read_only(True)
        # The snapshot is taken by the first statement.
        await connection.execute(_FOR_THIS_TRANSACTION)
        yield connection
    finally:
        # No ROLLBACK: whoever was interrupted in the middle of a stream holds the connection's lock.
        await connection.close()


def query_checks(
    connection: Session, queries: Sequence[tuple[str, str, str]], known: Mapping[str, object] | None = None
) -> Sequence[QueryCheck]:
    """Checks by name, claim and query. Queries with parameters have their percent signs doubled."""
    return [
        QueryCheck(connection, name, claim, query, known if "%(" in query else None) for name, claim, query in queries
    ]


async def time_of(url: str) -> datetime:
    """What the database's clock says, by which payments became final."""
    async with snapshot(url) as connection:
        cursor = await connection.execute("SELECT clock_timestamp()")
        ((now,),) = await cursor.fetchall()
        assert isinstance(now, datetime)
        return now


# Whoever owns a table may do everything with it, and so may superusers.
_OWNS = "pg_has_role(current_user, relowner, 'MEMBER')"

_MAY_REWRITE = f"""
    SELECT format('%%s may %%s %%s', rolname, privilege, relation.oid::regclass)
    FROM pg_roles, pg_class relation, unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) privilege
    WHERE relation.oid = ANY(%(relations)s::regclass[])
        AND (rolname = 'strongbox_app' OR NOT {_OWNS} AND pg_has_role(current_user, pg_roles.oid, 'MEMBER'))
        AND CASE privilege WHEN 'UPDATE' THEN has_any_column_privilege(pg_roles.oid, relation.oid, privilege)
                           ELSE has_table_privilege(pg_roles.oid, relation.oid, privilege) END
"""


@dataclass(frozen=True, slots=True)
class NobodyRewrites:
    """The services' group, and whatever role these connections can take, may add to their tables and no more.

    An owner is not held to that: see `append_only_is_enforced`.
    """

    tables: Sequence[tuple[Session, Sequence[str]]]
    name: str = "ledger_is_append_only"
    claim: str = "the services can neither change nor delete entries and audit events"

    async def offenders(self) -> AsyncIterator[str]:
        """Each right that is too much."""
        for connection, relations in self.tables:
            async for (line,) in rows(connection, _MAY_REWRITE, {"relations": list(relations)}):
                yield line


async def append_only_is_enforced(connection: Session, relation: str) -> bool:
    """Whether the role of this connection can be held to appending: the table's owner and superusers cannot."""
    cursor = await connection.execute(f"SELECT {_OWNS} FROM pg_class WHERE oid = %s::regclass", [relation])
    return await cursor.fetchone() == (False,)
