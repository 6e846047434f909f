"""Open holds whose time is over, counted."""

from typing import Final

from psycopg import AsyncConnection

from app.contexts.funds.application.overdue import Overdue
from app.platform.postgres.errors import reading
from app.platform.postgres.pool import Pool, session

MOST_COUNTED: Final = 10_000

# Of the index of those that are open and have an end, from its beginning.
_OVERDUE: Final = f"""
    SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(expires_at)), 0)::float8
    FROM (
        SELECT expires_at FROM holds
        WHERE status = 'OPEN' AND expires_at IS NOT NULL AND expires_at <= clock_timestamp()
        ORDER BY expires_at
        LIMIT {MOST_COUNTED}
    ) overdue
"""


async def overdue_of(connection: AsyncConnection) -> Overdue:
    """What is overdue, counted up to `MOST_COUNTED`."""
    ((count, oldest_s),) = await (await connection.execute(_OVERDUE.encode())).fetchall()
    return Overdue(count, oldest_s)


class PostgresOverdue:
    """Looks at the books for what is overdue."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @reading
    async def overdue(self) -> Overdue:
        """What is overdue.

        Raises:
            Unavailable: it cannot be known now.
        """
        async with session(self._pool) as connection:
            return await overdue_of(connection)
