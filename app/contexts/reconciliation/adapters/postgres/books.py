"""The comparison in PostgreSQL: the report and the rows meet there, and what came of it is kept, in one transaction."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from app.contexts.reconciliation.adapters.postgres.comparing import COMPARE, COUNT, MAKE
from app.contexts.reconciliation.adapters.postgres.event_documents import OUTBOX, outbox_row
from app.contexts.reconciliation.adapters.postgres.keeping import KEEP
from app.contexts.reconciliation.adapters.postgres.rows import RUN_COLUMNS, run_of
from app.contexts.reconciliation.adapters.postgres.staging import check, stage
from app.contexts.reconciliation.application.ports import NewRun
from app.contexts.reconciliation.domain.run import Reconciliation
from app.kernel.errors import Unavailable
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.errors import Fault, NotReplicated, fault, reading
from app.platform.postgres.pipeline import Row, Statement, run
from app.platform.postgres.pool import Pool, hanging_up_after, session
from app.platform.postgres.tenancy import as_tenant
from app.platform.postgres.transactions import CLOCK, DatabaseTransaction

LONGEST_S = 3_600.0
"""What no run takes whose server is alive: fifty million lines are compared in a quarter of it. A server that has
fallen silent would be waited for without end, and a connection would be lost to all who come later."""

_DAY: Final = timedelta(days=1)

# It takes as long as it takes: nobody waits for what it holds but another run of the same tenant. A client that is gone
# ends it all the same, between two pieces of the report at the latest.
_PATIENCE: Final = Statement("""
    SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true),
           set_config('idle_in_transaction_session_timeout', '60s', true),
           set_config('work_mem', '128MB', true), set_config('jit', 'off', true)
""")
# One run of a tenant at a time: each knows what those before it have told.
_ALONE: Final = "SELECT pg_advisory_xact_lock(hashtextextended('reconciliation ' || %(tenant_id)s::text, 0))"
_KNOWN: Final = f"""
    SELECT {RUN_COLUMNS} FROM reconciliation.runs r
    WHERE r.bucket = %(bucket)s AND r.tenant_id = %(tenant_id)s AND r.date = %(date)s AND r.sha256 = %(sha256)s
"""
# What is left to the next day's run must not come behind it.
_IS_LATEST: Final = """
    SELECT NOT EXISTS (
        SELECT FROM reconciliation.runs
        WHERE bucket = %(bucket)s AND tenant_id = %(tenant_id)s AND date > %(date)s
    )
"""


class PostgresBooks:
    """Implements `Books`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @reading
    async def now(self) -> datetime:
        """See `Books.now`."""
        async with session(self._pool) as connection:
            (((now,),),) = await run(connection, [(CLOCK, ())])
            assert isinstance(now, datetime)
            return now

    async def compare(self, asked: NewRun, report: Iterator[bytes]) -> Reconciliation:
        """See `Books.compare`."""
        async with self._connection() as connection:
            transaction = DatabaseTransaction(connection, plan_anew=False)
            await transaction.begin((_PATIENCE, ()), as_tenant(asked.tenant_id))
            known = _known(asked) | {"sha256": await stage(connection, report)}
            await _run(connection, _ALONE, known)
            if same := await _run(connection, _KNOWN, known):
                await connection.rollback()
                return run_of(same[0])
            ((known["may_carry"],),) = await _run(connection, _IS_LATEST, known)
            done = await _compared(connection, transaction, asked, known)
            await transaction.commit([OUTBOX.insert([outbox_row(asked.event_id, done)])])
            return done

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        """A connection, which is left without a transaction.

        Raises:
            Unavailable: there is none, or it was lost. Whatever became of it, the same again will do.
        """
        try:
            async with self._pool.connection() as connection:
                with hanging_up_after(LONGEST_S, connection):
                    yield connection
        except (NotReplicated, psycopg.Error, PoolTimeout, PoolClosed, TooManyRequests) as error:
            if fault(error) is Fault.OTHER:
                raise
            raise Unavailable(type(error).__name__) from error


def _known(asked: NewRun) -> dict[str, Any]:
    begins = datetime.combine(asked.date, time(), UTC)
    ends = begins + _DAY
    return {
        "id": asked.id, "bucket": bucket_of(asked.tenant_id), "tenant_id": asked.tenant_id, "date": asked.date,
        "keeps_keys": asked.keeps_keys, "begins": begins, "ends": ends,
        "until": ends if asked.asked_at is None else min(ends, asked.asked_at),
    }  # fmt: skip


async def _compared(
    connection: AsyncConnection, transaction: DatabaseTransaction, asked: NewRun, known: dict[str, Any]
) -> Reconciliation:
    """Compare what is staged, and keep what came of it."""
    await _run(connection, MAKE, {})
    await _run(connection, COMPARE, known)
    await check(connection)
    ((lines, others, unmatched, carried, findings),) = await _run(connection, COUNT, {})
    (((created_at,),),) = await transaction.read((CLOCK, ()))
    done = Reconciliation(
        id=asked.id,
        tenant_id=asked.tenant_id,
        date=asked.date,
        sha256=known["sha256"],
        lines=lines - others,
        matched=lines - others - unmatched,
        carried=carried,
        findings=findings,
        unresolved=findings,
        created_at=created_at,
    )
    counts = {"lines": done.lines, "matched": done.matched, "carried": carried, "findings": findings}
    for statement in KEEP:
        await _run(connection, statement, known | counts | {"created_at": created_at})
    return done


async def _run(connection: AsyncConnection, query: str, known: Mapping[str, object]) -> list[Row]:
    """Run a statement over tables of this transaction's own: none of it is prepared."""
    cursor = await connection.execute(query.encode(), known, prepare=False)
    return await cursor.fetchall() if cursor.description else []
