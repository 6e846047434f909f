"""How late deliveries are, and how many endpoints are disabled: of lanes, whoever's they are."""

from typing import Final

from psycopg import AsyncConnection

from app.contexts.webhooks.application.figures import Totals
from app.platform.postgres.errors import reading
from app.platform.postgres.pipeline import Statement, run
from app.platform.postgres.pool import Pool, session

FIRST: Final = Statement("""
    SELECT coalesce(extract(epoch FROM now() - (SELECT min(wake_at) FROM webhooks.lanes WHERE wake_at IS NOT NULL)), 0)
        ::float8
""")
LANES: Final = Statement("""
    SELECT count(*) FILTER (WHERE is_active), count(*) FILTER (WHERE NOT is_active),
        count(*) FILTER (WHERE is_active AND failing_since IS NOT NULL),
        count(*) FILTER (WHERE is_active AND open_until > now())
    FROM webhooks.lanes
""")


async def totals_of(connection: AsyncConnection) -> Totals:
    """All of it, as it is now."""
    ((late_s,),), ((active, disabled, failing, silent),) = await run(connection, [(FIRST, ()), (LANES, ())])
    return Totals(max(late_s, 0.0), active, disabled, failing, silent)


class PostgresFigures:
    """Implements `Figures`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @reading
    async def totals(self) -> Totals:
        """See `Figures.totals`."""
        async with session(self._pool) as connection:
            return await totals_of(connection)
