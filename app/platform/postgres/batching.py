"""Use cases in batches: how large those are, and how many commands may wait."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar
from uuid import UUID

from app.platform.postgres.lanes import BatchObserver, Lane, Lanes
from app.platform.postgres.pool import Pool
from app.platform.postgres.side_by_side import SideBySide

C = TypeVar("C")
R = TypeVar("R")

BATCH: Final = 128
"""Commands a batch at the most: past some hundred a batch wins nothing and only makes the next one wait."""
LARGE_AT_ONCE: Final = 3
"""While the server writes one, the next is made up."""
LARGE_QUEUE: Final = 16
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


def make_lanes_of_one(
    use_case: Callable[[Sequence[C]], Awaitable[Sequence[R]]],
    user_of: Callable[[C], UUID],
    pool: Pool,
    observe: BatchObserver,
) -> SideBySide[C, R]:
    """The use case, for commands each of which is as large as a batch: one at a time, several side by side."""

    def lane() -> Lane[C, R]:
        return Lane(use_case, size=1, queue_limit=LARGE_QUEUE, on_lost=pool.check, observe=observe)

    return SideBySide(user_of, [Lanes(user_of, lane(), lane()) for _ in range(LARGE_AT_ONCE)])
