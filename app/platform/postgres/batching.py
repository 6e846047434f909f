"""Use cases in batches: how large those are, and how many commands may wait."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar
from uuid import UUID

from app.platform.postgres.lanes import BatchObserver, Lane, Lanes
from app.platform.postgres.pool import Pool

C = TypeVar("C")
R = TypeVar("R")

BATCH: Final = 128
"""Commands a batch at the most: past some hundred a batch wins nothing and only makes the next one wait."""
QUEUE: Final = 2_048
"""Commands a lane lets wait before it answers 503: about a second's worth."""


def make_lanes(
    use_case: Callable[[Sequence[C]], Awaitable[Sequence[R]]],
    user_of: Callable[[C], UUID],
    pool: Pool,
    observe: BatchObserver,
) -> Lanes[C, R]:
    """The use case, batched."""

    def lane() -> Lane[C, R]:
        return Lane(use_case, size=BATCH, queue_limit=QUEUE, on_lost=pool.check, observe=observe)

    return Lanes(user_of, lane(), lane())
