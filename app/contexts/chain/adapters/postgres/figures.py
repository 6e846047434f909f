"""How much is under way, in the database."""

from typing import Final

from app.contexts.chain.adapters.postgres.rows import OPEN
from app.contexts.chain.application.ports import Backlog
from app.contexts.chain.domain.following import OTHER_CONTENT
from app.platform.postgres.errors import reading
from app.platform.postgres.inspection import Session, found
from app.platform.postgres.pipeline import Statement, run
from app.platform.postgres.pool import Pool, session

# Of indexes of what is open, and of what failed: as many rows as are.
_TEXT: Final = f"""
    SELECT open.*, failed.* FROM
        (SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8,
                count(*) FILTER (
                    WHERE status <> 'MINED' AND created_at < clock_timestamp() - make_interval(secs => {{stuck_s}})
                )
         FROM chain.blockchain_transactions WHERE status IN {OPEN}) open,
        (SELECT count(*) FROM chain.blockchain_transactions
         WHERE failure = '{OTHER_CONTENT}') failed
"""
BACKLOG: Final = Statement(_TEXT.format(stuck_s="%b::float8"))


class PostgresFigures:
    """Counts."""

    def __init__(self, pool: Pool, stuck_s: float) -> None:
        self._pool = pool
        self._stuck_s = stuck_s

    @reading
    async def backlog(self) -> Backlog:
        """What is under way."""
        async with session(self._pool) as connection:
            (rows,) = await run(connection, [(BACKLOG, (self._stuck_s,))])
        return Backlog(*rows[0])


async def backlog_of(connection: Session, stuck_s: float) -> Backlog:
    """The same, for whoever has a connection."""
    ((*row,),) = await found(connection, _TEXT.format(stuck_s="%(stuck_s)s"), {"stuck_s": stuck_s})
    return Backlog(*row)
