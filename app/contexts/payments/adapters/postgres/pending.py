"""Payments left PENDING, as recovery sees them, and keys whose time is over."""

from collections.abc import Sequence

from psycopg import AsyncConnection

from app.contexts.payments.adapters.postgres.idempotency import KEYS
from app.contexts.payments.adapters.postgres.rows import PAYMENT_COLUMNS, payment_of
from app.contexts.payments.application.pending import Backlog
from app.contexts.payments.domain.payment import Payment
from app.platform.postgres.errors import reading
from app.platform.postgres.pool import Pool, session

# The index on (recover_after NULLS FIRST, created_at) has only pending payments, those never tried first.
# SKIP LOCKED: workers side by side take different ones. Ages and leases go by the database's clock alone, which may go
# back: a lease that ends later than one would that began now is over, and the age of a payment made in times to come
# counts from now on. "Now" is told by the clock: another worker's lease may have begun after this statement did.
_TAKE = f"""
    UPDATE payments p
    SET recover_after = clock_timestamp() + make_interval(secs => CASE WHEN due.is_noted THEN %b::float8 ELSE %b END)
    FROM (
        SELECT user_id, id, recover_after IS NULL AND created_at > now() AS is_noted FROM payments
        WHERE status = 'PENDING' AND CASE
            WHEN recover_after IS NULL
                THEN created_at <= now() - make_interval(secs => %b::float8) OR created_at > now()
            ELSE recover_after <= now() OR recover_after > clock_timestamp() + make_interval(secs => %b::float8) END
        ORDER BY recover_after NULLS FIRST, created_at
        LIMIT %b
        FOR UPDATE SKIP LOCKED
    ) due
    WHERE p.user_id = due.user_id AND p.id = due.id
    RETURNING due.is_noted, {PAYMENT_COLUMNS}
"""

# Of that index alone: as many rows as are pending.
_BACKLOG = """
    SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8,
           count(*) FILTER (WHERE recover_after IS NULL
                            AND created_at < clock_timestamp() - make_interval(secs => %b::float8))
    FROM payments WHERE status = 'PENDING'
"""


async def backlog_of(connection: AsyncConnection, due_after_s: float = 0.0) -> Backlog:
    """What is PENDING; recovery should have taken what is older than `due_after_s`."""
    ((count, oldest_s, never_taken),) = await (await connection.execute(_BACKLOG, (due_after_s,))).fetchall()
    return Backlog(count, oldest_s, never_taken)


class PostgresPendingPayments:
    """Leases pending payments to recovery workers; purges expired keys."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @reading
    async def take(self, limit: int, older_than_s: float, lease_s: float) -> Sequence[Payment]:
        """Lease up to `limit` payments that are PENDING for longer than `older_than_s`, the longest waiting first."""
        if limit < 1:
            return []
        async with session(self._pool) as connection:
            values = (older_than_s, lease_s, older_than_s, max(lease_s, older_than_s), limit)
            cursor = await connection.cursor(binary=True).execute(_TAKE, values)
            return [payment_of(row) for is_noted, *row in await cursor.fetchall() if not is_noted]

    @reading
    async def backlog(self) -> Backlog:
        """How many payments are PENDING, and how old the oldest is."""
        async with session(self._pool) as connection:
            return await backlog_of(connection)

    @reading
    async def purge_keys(self, ttl_h: float, limit: int) -> int:
        """Delete up to `limit` keys whose request became final more than `ttl_h` hours ago; how many that were."""
        async with session(self._pool) as connection:
            cursor = await connection.execute(KEYS.purge, (ttl_h, limit))
            return cursor.rowcount
