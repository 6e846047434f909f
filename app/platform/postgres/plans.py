"""Plans made for any values, and kept for a second.

Planning some statements takes longer than running them. A plan that is kept for good may have been made while a table
was small, and turn bad as it grows; within a second none grows that much.
"""

import asyncio
from collections.abc import Sequence
from typing import Final
from weakref import WeakKeyDictionary

from psycopg import AsyncConnection

from app.platform.postgres.pipeline import Call, Row, Statement, run
from app.platform.postgres.pool import Pool, make_pool

PLANS_LAST_S = 1.0

PLAN_ANEW: Final[Call] = (Statement("DISCARD PLANS"), ())


def make_planned_pool(url: str, application_name: str, size: int) -> Pool:
    """A pool whose plans are made for any values: so the checks of foreign keys keep theirs, too."""
    return make_pool(url, application_name, size, plan_cache_mode="force_generic_plan")


class Plans:
    """How old the plans of each connection are."""

    def __init__(self) -> None:
        self._end: WeakKeyDictionary[AsyncConnection, float] = WeakKeyDictionary()

    def are_old(self, connection: AsyncConnection) -> bool:
        """Whether the connection has to plan anew now. Who is told so has to see to it: the next second begins."""
        now = asyncio.get_running_loop().time()
        if self._end.get(connection, 0.0) > now:
            return False
        self._end[connection] = now + PLANS_LAST_S
        return True

    async def run(self, connection: AsyncConnection, calls: Sequence[Call]) -> list[list[Row]]:
        """Run the statements, planned anew if their plans are old; see `pipeline.run`."""
        first = [PLAN_ANEW] if self.are_old(connection) else []
        return (await run(connection, [*first, *calls]))[len(first) :]
