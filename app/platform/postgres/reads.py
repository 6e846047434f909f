"""Reads that lock nothing. Those that come at once share a round trip, as writes do."""

from collections.abc import Sequence
from uuid import UUID

from app.platform.postgres.lanes import BatchObserver, Lane, unobserved
from app.platform.postgres.pipeline import Call, Row
from app.platform.postgres.plans import Plans
from app.platform.postgres.pool import Pool, session

LANES = 2
"""Round trips under way at a time: one being read by the server while the rows of the other are."""
BATCH = 32
QUEUE = 2_048


class SharedReads:
    """Round trips that reads of a pool share."""

    def __init__(self, pool: Pool, observe: BatchObserver = unobserved) -> None:
        self._pool = pool
        self._plans = Plans()
        self._lanes = [
            Lane[Sequence[Call], Sequence[Sequence[Row]]](
                self._run, size=BATCH, queue_limit=QUEUE, on_lost=pool.check, observe=observe
            )
            for _ in range(LANES)
        ]

    @property
    def waiting(self) -> int:
        """How many reads wait for their round trip to begin."""
        return sum(lane.waiting for lane in self._lanes)

    async def read(self, owner: UUID, *calls: Call) -> Sequence[Sequence[Row]]:
        """The rows of each statement; they are one owner's."""
        return await self._lanes[owner.int % LANES].submit(calls)

    async def _run(self, reads: Sequence[Sequence[Call]]) -> Sequence[Sequence[Sequence[Row]]]:
        async with session(self._pool) as connection:
            rows = iter(await self._plans.run(connection, [call for calls in reads for call in calls]))
        return [[next(rows) for _ in calls] for calls in reads]
