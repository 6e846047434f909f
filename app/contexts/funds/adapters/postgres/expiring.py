"""Open holds that have an end, as whoever releases them looks for them."""

from typing import Final

from app.contexts.funds.application.expire import Ending
from app.contexts.funds.domain.hold import HoldRef
from app.contexts.funds.domain.ids import HoldId
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.platform.postgres.errors import reading
from app.platform.postgres.pool import Pool, session

# Of the index of those that are open and have an end, from its beginning: one more than is wanted tells the next.
_ENDING: Final = """
    SELECT user_id, currency, id, extract(epoch FROM expires_at - clock_timestamp())::float8
    FROM holds
    WHERE status = 'OPEN' AND expires_at IS NOT NULL
    ORDER BY expires_at
    LIMIT %b
"""


class PostgresExpiringHolds:
    """The books in PostgreSQL. It implements `ExpiringHolds`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @reading
    async def ending(self, most: int) -> Ending:
        """See `ExpiringHolds.ending`."""
        async with session(self._pool) as connection:
            rows = await (await connection.execute(_ENDING, (most + 1,))).fetchall()
        over = [HoldRef(UserId(user), Currency(code), HoldId(hold)) for user, code, hold, in_s in rows if in_s <= 0]
        return Ending(over[:most], next((in_s for *_, in_s in rows if in_s > 0), None))
