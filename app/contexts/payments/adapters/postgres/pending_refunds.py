"""Refunds left PENDING, as recovery sees them."""

from collections.abc import Sequence
from typing import Final

from psycopg import AsyncConnection

from app.contexts.payments.adapters.postgres.refund_rows import columns_of, refund_of
from app.contexts.payments.application.pending import Backlog
from app.contexts.payments.domain.refund import Refund
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.errors import reading
from app.platform.postgres.pool import Pool, session

SHORTEST_S: Final = 1.0
LONGEST_S: Final = 300.0

# As payments are taken: see `pending`. What is put off is so for `LONGEST_S` at the most.
TAKE: Final = f"""
    UPDATE payments.refunds f
    SET recover_after = clock_timestamp() + make_interval(secs => CASE WHEN due.is_noted THEN %b::float8 ELSE %b END)
    FROM (
        SELECT bucket, user_id, id, recover_after IS NULL AND created_at > now() AS is_noted FROM payments.refunds
        WHERE status = 'PENDING' AND CASE
            WHEN recover_after IS NULL
                THEN created_at <= now() - make_interval(secs => %b::float8) OR created_at > now()
            ELSE recover_after <= now() OR recover_after > clock_timestamp() + make_interval(secs => %b::float8) END
        ORDER BY recover_after NULLS FIRST, created_at
        LIMIT %b
        FOR UPDATE SKIP LOCKED
    ) due
    WHERE f.bucket = due.bucket AND f.user_id = due.user_id AND f.id = due.id
    RETURNING due.is_noted, {columns_of("f")}
"""

PUT_OFF: Final = f"""
    UPDATE payments.refunds f
    SET recover_after = clock_timestamp() + make_interval(secs => least({LONGEST_S}, greatest({SHORTEST_S},
            extract(epoch FROM clock_timestamp() - created_at) / 10))::float8)
    WHERE bucket = %b::smallint AND user_id = %b::uuid AND id = %b::uuid AND finalized_at IS NULL
"""

# Of that index alone: as many rows as are pending.
_BACKLOG: Final = """
    SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8,
           count(*) FILTER (WHERE recover_after IS NULL
                            AND created_at < clock_timestamp() - make_interval(secs => %b::float8))
    FROM payments.refunds WHERE status = 'PENDING'
"""


async def backlog_of(connection: AsyncConnection, due_after_s: float = 0.0) -> Backlog:
    """What is PENDING; recovery should have taken what is older than `due_after_s`."""
    ((count, oldest_s, never_taken),) = await (await connection.execute(_BACKLOG, (due_after_s,))).fetchall()
    return Backlog(count, oldest_s, never_taken)


class PostgresPendingRefunds:
    """Leases pending refunds to recovery workers. It implements `Pending`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @reading
    async def take(self, limit: int, older_than_s: float, lease_s: float) -> Sequence[Refund]:
        """Lease up to `limit` refunds that are PENDING for longer than `older_than_s`, the longest waiting first."""
        if limit < 1:
            return []
        async with session(self._pool) as connection:
            values = (older_than_s, lease_s, older_than_s, max(lease_s, older_than_s, LONGEST_S), limit)
            cursor = await connection.cursor(binary=True).execute(TAKE.encode(), values)
            return [refund_of(row) for is_noted, *row in await cursor.fetchall() if not is_noted]

    @reading
    async def put_off(self, refund: Refund) -> None:
        """Let nobody take the refund for a tenth of its age, of 1 s at the least and 5 min at the most."""
        async with session(self._pool) as connection:
            await connection.execute(PUT_OFF.encode(), (bucket_of(refund.user_id), refund.user_id, refund.id))

    @reading
    async def backlog(self) -> Backlog:
        """How many refunds are PENDING, and how old the oldest is."""
        async with session(self._pool) as connection:
            return await backlog_of(connection)
