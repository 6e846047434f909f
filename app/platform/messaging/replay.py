"""Publish events of a time once more, straight into one queue: for a consumer that lacks them, or a new one."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An event that was published before. `body` is its CloudEvents document, as it was."""

    occurred_at: datetime
    subject: UUID
    sequence: int
    event_id: UUID
    type: str
    body: bytes

    @property
    def place(self) -> tuple[datetime, UUID, int]:
        """Its place among all events: in it a subject's, and an owner's, are in the order in which they happened."""
        return self.occurred_at, self.subject, self.sequence


class Past(Protocol):
    """Where published events are kept. Both methods raise `Unavailable` while it is out of reach."""

    async def count(self, since: datetime, until: datetime) -> int:
        """How many events of that time it has."""
        ...

    def events(self, since: datetime, until: datetime) -> AsyncIterator[PastEvent]:
        """Those from `since` until before `until`, in the order of their places, each once."""
        ...


@dataclass(slots=True)
class Replayed:
    """What was published, or in a dry run would be. `stopped`: told to, before all of it was."""

    events: int = 0
    by_type: Counter[str] = field(default_factory=Counter)
    first_at: datetime | None = None
    last_at: datetime | None = None
    stopped: bool = False


class CannotReplay(Exception):  # noqa: N818 -- the message says why
    """The range cannot be replayed as asked for; nothing was published."""


Publish = Callable[[Sequence[PastEvent]], Awaitable[None]]


def remembered_since(now: datetime, remembered_h: float, retention_h: float) -> datetime:
    """From when on a consumer that forgets event ids after `remembered_h` can be sent events again.

    Less than it remembers: what is replayed may wait in its queue as long as events are kept.
    """
    return now - timedelta(hours=remembered_h - retention_h)


def outbox_begins(now: datetime, retention_h: float) -> datetime:
    """Since when the outbox has every event; older ones may have been cleaned up."""
    return now - timedelta(hours=retention_h)


async def replay(
    events: AsyncIterator[PastEvent],
    takes: Callable[[str], bool],
    publish: Publish | None,
    progress: Callable[[int], None],
    stop: asyncio.Event,
) -> Replayed:
    """Publish the events whose type the queue takes, batch after batch in their order; None publishes nothing.

    `progress` is told how many events were looked at. When `publish` raises, that batch may be there in part;
    publishing it again does no harm.
    """
    replayed, seen = Replayed(), 0
    batch: list[PastEvent] = []
    async for event in events:
        seen += 1
        if takes(event.type):
            batch.append(event)
        if len(batch) == BATCH:
            await _publish(batch, publish, replayed)
            batch.clear()
            progress(seen)
        if stop.is_set():
            replayed.stopped = True
            return replayed
    await _publish(batch, publish, replayed)
    progress(seen)
    return replayed


async def _publish(batch: Sequence[PastEvent], publish: Publish | None, replayed: Replayed) -> None:
    if not batch:
        return
    if publish is not None:
        await publish(batch)
    replayed.events += len(batch)
    replayed.by_type.update(event.type for event in batch)
    replayed.first_at = replayed.first_at or batch[0].occurred_at
    replayed.last_at = batch[-1].occurred_at


async def merged(one: AsyncIterator[PastEvent], other: AsyncIterator[PastEvent]) -> AsyncIterator[PastEvent]:
    """The events of both, each once, in the order of their places."""
    left, right = await anext(one, None), await anext(other, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left.place < right.place):
            assert left is not None
            yield left
            left = await anext(one, None)
        else:
            if left is not None and left.event_id == right.event_id:
                left = await anext(one, None)
            yield right
            right = await anext(other, None)
