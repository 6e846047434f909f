"""What has just ended, what waits, and which payments are the newest: all by an index, and never much of it."""

from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import psycopg
from psycopg import AsyncConnection

from app.contexts.payments.adapters.postgres.pending import backlog_of
from app.contexts.payments.application.activity import SLOT_S, Beat, Result
from app.contexts.payments.application.recent import Place, RecentPayment
from app.kernel.errors import Unavailable
from app.platform.postgres.errors import reading
from app.platform.postgres.inspection import why
from app.platform.postgres.outbox import PostgresOutbox
from app.platform.postgres.pipeline import Row
from app.platform.postgres.pool import Pool, session

R = TypeVar("R")

MOST = 5_000
"""Rows that a look goes through."""
SETTLING_S = 1.0
"""So long after its end a slot is taken for complete: the transactions that are in it have been committed."""

# The index by finalized_at finds them. The status is read payment by payment: a join might walk over all there are.
_FINISHED = """
    SELECT floor(extract(epoch FROM k.finalized_at) / %(slot_s)s)::bigint,
           coalesce((SELECT status FROM payments p WHERE p.user_id = k.user_id AND p.id = k.payment_id), 'REFUSED')
    FROM idempotency_keys k
    WHERE k.finalized_at >= %(since)s AND k.finalized_at < %(until)s
    ORDER BY k.finalized_at DESC LIMIT %(most)s
"""
_COUNTED = f"SELECT slot, status, count(*) FROM ({_FINISHED}) AS f (slot, status) GROUP BY slot, status"

_COLUMNS = """
    p.id, p.user_id, p.external_reference, p.amount, p.currency, p.status, p.failure_code, p.created_at,
    p.finalized_at
"""
_FINAL = f"""
    SELECT {_COLUMNS}, k.finalized_at
    FROM (
        SELECT user_id, payment_id, finalized_at FROM idempotency_keys
        WHERE payment_id IS NOT NULL AND finalized_at <= %(at)s AND (finalized_at, payment_id) < (%(at)s, %(id)s)
        ORDER BY finalized_at DESC, payment_id DESC LIMIT %(most)s
    ) k
    CROSS JOIN LATERAL (SELECT * FROM payments WHERE user_id = k.user_id AND id = k.payment_id OFFSET 0) p
    ORDER BY k.finalized_at DESC, k.payment_id DESC
"""
_PENDING = f"""
    SELECT {_COLUMNS}, p.created_at FROM payments p
    WHERE status = 'PENDING' AND (created_at, id) < (%(at)s, %(id)s)
    ORDER BY created_at DESC, id DESC LIMIT %(most)s
"""
_NEWEST: Place = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=2**128 - 1))


class PostgresPulse:
    """The books' database, over a pool. It implements `Pulse` and `RecentPayments`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._outbox = PostgresOutbox(pool, "payments")

    async def beat(self, after: int | None, slots: int) -> Beat:
        """See `Pulse.beat`."""
        return await _told(self._beat(after, slots))

    async def final(self, before: Place | None, most: int) -> Sequence[RecentPayment]:
        """See `RecentPayments.final`."""
        return await _told(self._payments(_FINAL, before, most))

    async def pending(self, before: Place | None, most: int) -> Sequence[RecentPayment]:
        """See `RecentPayments.pending`."""
        return await _told(self._payments(_PENDING, before, most))

    @reading
    async def _beat(self, after: int | None, slots: int) -> Beat:
        async with session(self._pool) as books:
            ((now,),) = await _all(books, "SELECT extract(epoch FROM now())::float8", {})
            last = int((now - SETTLING_S) // SLOT_S) - 1
            first = last - slots + 1 if after is None else max(after + 1, last - slots + 1)
            since, until = _begin(first), _begin(last + 1)
            known = {"since": since, "until": until, "slot_s": SLOT_S, "most": MOST}
            rows = await _all(books, _COUNTED, known) if first <= last else []
            pending = await backlog_of(books)
        backlog = await self._outbox.backlog()
        finished: dict[int, dict[Result, int]] = {}
        for slot, status, count in rows:
            finished.setdefault(slot, {})[Result(status)] = count
        if sum(count for _, _, count in rows) == MOST:  # the oldest of them may lack some
            first = min(finished) + 1
        return Beat(first, last, finished, pending.count, pending.oldest_s, backlog.depth, backlog.lag_s)

    @reading
    async def _payments(self, query: str, before: Place | None, most: int) -> Sequence[RecentPayment]:
        at, payment_id = before or _NEWEST
        async with session(self._pool) as books:
            rows = await _all(books, query, {"at": at, "id": payment_id, "most": min(most, MOST)})
        return [RecentPayment(*row) for row in rows]


async def _told(work: Awaitable[R]) -> R:
    """What the work gives; a database that does not let us look, or lacks what we look for, is told in words."""
    try:
        return await work
    except psycopg.Error as error:
        raise Unavailable(why(error)) from error


def _begin(slot: int) -> datetime:
    return datetime.fromtimestamp(slot * SLOT_S, UTC)


async def _all(connection: AsyncConnection, query: str, known: dict[str, object]) -> list[Row]:
    return await (await connection.execute(query, known)).fetchall()
