"""Reads of what is set aside."""

from collections.abc import Sequence

from app.contexts.funds.adapters.postgres.wallets import MOST_LINES
from app.contexts.funds.application.read_holds import HoldLine
from app.contexts.funds.application.read_transactions import Position
from app.kernel.ids import UserId
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.reads import SharedReads

# A limit that stands in the text, as in the pages of transactions: the planner can count on it.
_PAGE = f"""
    SELECT * FROM (
        SELECT id, context, business_id, amount, captured, released, currency, status, created_at, expires_at
        FROM holds
        WHERE user_id = %b::uuid {{before}}
        ORDER BY created_at DESC, id DESC
        LIMIT {MOST_LINES}
    ) newest
    LIMIT %b::bigint
"""
FIRST_PAGE = Statement(_PAGE.format(before=""))
PAGE_BEHIND = Statement(_PAGE.format(before="AND (created_at, id) < (%b::timestamptz, %b::uuid)"))


class PostgresHoldReader:
    """Reads holds. It implements `HoldReader`."""

    def __init__(self, reads: SharedReads) -> None:
        self._reads = reads

    async def holds(self, user_id: UserId, before: Position | None, limit: int) -> Sequence[HoldLine]:
        """See `HoldReader.holds`."""
        assert limit <= MOST_LINES
        call = (PAGE_BEHIND, (user_id, *before, limit)) if before else (FIRST_PAGE, (user_id, limit))
        (rows,) = await self._reads.read(user_id, call)
        return list(map(HoldLine._make, rows))
