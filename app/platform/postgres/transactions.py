"""Transactions of two round trips, whatever they lock, read and write.

The first begins the transaction, runs what locks and reads, and reads the clock once the locks are held. The second
writes everything and commits.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection, pq
from psycopg.errors import Diagnostic

from app.platform.postgres.errors import NotReplicated
from app.platform.postgres.pipeline import Call, Row, Statement, run
from app.platform.postgres.plans import PLAN_ANEW, Plans
from app.platform.postgres.pool import (
    IDLE_IN_TRANSACTION_TIMEOUT_MS,
    LOCK_TIMEOUT_MS,
    STATEMENT_TIMEOUT_MS,
    Pool,
    has_own_session,
    lock_patience_ms,
    session,
)

# For a transaction with another patience than its session's, and for those behind a pooler, where a session's settings
# are another client's.
_LIMITS = Statement(f"""
    SELECT set_config('lock_timeout', %b::text, true),
           set_config('statement_timeout', '{STATEMENT_TIMEOUT_MS}', true),
           set_config('idle_in_transaction_session_timeout', '{IDLE_IN_TRANSACTION_TIMEOUT_MS}', true)
""")
# Last of its round trip: a time from before the locks could be older than what the last holder wrote.
CLOCK: Final = Statement("SELECT clock_timestamp()")
_BEGIN = Statement("BEGIN ISOLATION LEVEL READ COMMITTED")
_COMMIT = Statement("COMMIT")


def _first(connection: AsyncConnection, *, plan_anew: bool) -> list[Call]:
    """The statements that come first in a transaction on the connection."""
    first: list[Call] = []
    patience_ms = lock_patience_ms.get()
    if patience_ms != LOCK_TIMEOUT_MS or not has_own_session(connection):
        first.append((_LIMITS, (str(patience_ms),)))
    if plan_anew:
        first.append(PLAN_ANEW)
    return first


async def at_once(connection: AsyncConnection, calls: Sequence[Call], *, plan_anew: bool) -> list[list[Row]]:
    """Run the statements in one transaction and one round trip; the rows of each.

    What is sent before one Sync is a transaction by itself: BEGIN and COMMIT would be two statements more.
    """
    first = _first(connection, plan_anew=plan_anew)
    return (await run(connection, [*first, *calls]))[len(first) :]


class Transactions:
    """Transactions on the connections of a pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._plans = Plans()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["DatabaseTransaction"]:
        """A transaction, which its first round trip begins. Leaving it without a commit undoes it."""
        async with session(self._pool) as connection:
            try:
                yield DatabaseTransaction(connection, plan_anew=self._plans.are_old(connection))
            finally:
                if connection.pgconn.transaction_status in (
                    pq.TransactionStatus.INTRANS,
                    pq.TransactionStatus.INERROR,
                ):
                    await connection.rollback()


class DatabaseTransaction:
    """One transaction."""

    def __init__(self, connection: AsyncConnection, *, plan_anew: bool) -> None:
        self._connection = connection
        self._plan_anew = plan_anew

    async def begin(self, *calls: Call) -> tuple[list[list[Row]], datetime]:
        """Begin with the statements; their rows, and the database's clock behind them."""
        first = [(_BEGIN, ()), *_first(self._connection, plan_anew=self._plan_anew)]
        *rows, clock = (await run(self._connection, [*first, *calls, (CLOCK, ())]))[len(first) :]
        now = clock[0][0]
        assert isinstance(now, datetime)
        return rows, now

    async def read(self, *calls: Call) -> list[list[Row]]:
        """Run the statements in a round trip between the two."""
        return await run(self._connection, calls)

    async def commit(self, calls: Iterable[Call]) -> None:
        """Run the statements and commit. When this raises, the caller cannot know whether it happened."""
        severities: list[str | None] = []

        def note(said: Diagnostic) -> None:  # which can be read only now
            severities.append(said.severity_nonlocalized)

        self._connection.add_notice_handler(note)
        try:
            await run(self._connection, [*calls, (_COMMIT, ())])
        finally:
            self._connection.remove_notice_handler(note)
        if "WARNING" in severities:
            raise NotReplicated
