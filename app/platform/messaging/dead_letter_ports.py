"""What looking at dead letters, and mending them, needs from outside."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.platform.process.progress import HowFar


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that its consumer gave up. `queue` is where it died, and where a redrive puts it.

    `id` is its event's, or for a message without one a digest. `died_at` and `attempts` are None when nobody noted
    them.
    """

    queue: str
    id: str
    type: str | None
    reason: str
    died_at: datetime | None
    attempts: int | None
    headers: Mapping[str, str]
    body: bytes


class DeadLetters(Protocol):
    """The dead-letter queues, each named by the queue whose messages it has.

    A look changes nothing: no message is lost, and their order stays. Of a long queue only the first `window` can be
    seen, or chosen by id. Every method raises `Unavailable` while the broker is out of reach.
    """

    window: int

    async def counts(self, queues: Sequence[str]) -> Mapping[str, int]:
        """How many dead letters each of the queues has."""
        ...

    async def look(self, queue: str) -> Sequence[DeadLetter]:
        """The queue's dead letters, the oldest first."""
        ...

    async def redrive(self, queue: str, ids: Collection[str]) -> Sequence[str]:
        """Put those with the ids back into their queue; the ids of those that were.

        Each is confirmed there before it leaves here: one that a death leaves in both comes twice.
        """
        ...

    async def redrive_all(self, queue: str, progress: HowFar, stop: asyncio.Event) -> int:
        """Put all that are there now back into their queue, just so; how many were before it was told to stop."""
        ...

    async def drop(self, queue: str, ids: Collection[str]) -> Sequence[str]:
        """Remove those with the ids for good; the ids of those that were."""
        ...
