"""Replaying a range of time: which events, from where, into which queue."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial, reduce

from app.kernel.errors import Unavailable
from app.kernel.topology import Queue
from app.platform.messaging.inbox import remembered_h
from app.platform.messaging.replay import (
    CannotReplay,
    PastEvent,
    Publish,
    Replayed,
    merged,
    outbox_begins,
    remembered_since,
    replay,
)
from app.platform.operations.actions import Actions, recorded
from app.platform.postgres.inspection import inspecting
from app.platform.postgres.published_events import clock_of, past_of_outboxes, past_of_the_trail
from app.platform.process.progress import Progress
from app.platform.process.terminal import moment
from app.platform.rabbitmq.connection import split
from app.platform.rabbitmq.queues import broker, depth, put_events

METRICS = "metrics.queue"


@dataclass(frozen=True, slots=True)
class Range:
    """What is to be replayed: events that occurred from `since` until before `until`."""

    since: datetime
    until: datetime
    queue: str


@dataclass(frozen=True, slots=True)
class Sources:
    """Where events are (in the outboxes for `retention_h`, in the audit trail for good), and brokers that take them.

    `outboxes` are told by the URL of their database and their schema; `queues` are those of the contracts.
    """

    outboxes: Sequence[tuple[str, str]]
    queues: Sequence[Queue]
    consumers_url: str
    rabbitmq_url: str
    retention_h: float


async def replay_range(
    sources: Sources, record: Actions, wanted: Range, dry_run: bool, progress: Progress, stop: asyncio.Event
) -> Replayed:
    """Publish the range's events into the queue, or only count them.

    Raises:
        CannotReplay: the queue, or the range, is not one that can be replayed.
        NotRecorded: see `recorded`.
        Unavailable: a database or the broker is out of reach; what is published is, and it can be done again.
    """
    async with AsyncExitStack() as stack:
        total, events = await _events(sources, wanted, stack)
        publish = await stack.enter_async_context(_publishing(sources, wanted.queue, dry_run))

        def show(done: int) -> None:
            progress("counting" if dry_run else f"into {wanted.queue}", done, total)

        run = partial(replay, events, _takes(sources, wanted.queue), publish, show, stop)
        if dry_run:
            return await run()
        details = {"from": moment(wanted.since), "to": moment(wanted.until), "queue": wanted.queue}
        async with recorded(record, "outbox replay", details) as outcome:
            replayed = await run()
            outcome.update(_outcome(replayed))
        return replayed


async def _events(sources: Sources, wanted: Range, stack: AsyncExitStack) -> tuple[int, AsyncIterator[PastEvent]]:
    """How many there are at most, and the events: from the outboxes, and what is too old for it from the trail."""
    total, outboxes = 0, []
    for url in dict.fromkeys(url for url, _ in sources.outboxes):
        books = await stack.enter_async_context(inspecting(url, None))
        outbox = past_of_outboxes(books, [schema for where, schema in sources.outboxes if where == url])
        now = await clock_of(books)
        _check(sources, wanted, now)
        total += await outbox.count(wanted.since, wanted.until)
        outboxes.append(outbox.events(wanted.since, wanted.until))
    events = reduce(merged, outboxes)
    begins = outbox_begins(now, sources.retention_h)
    if wanted.since >= begins:
        return total, events
    until = min(begins, wanted.until)
    try:
        trail = past_of_the_trail(await stack.enter_async_context(inspecting(sources.consumers_url, None)))
        total += await trail.count(wanted.since, until)
    except Unavailable as error:
        raise CannotReplay(
            f"events from {moment(wanted.since)} to {moment(until)} are too old for the outbox, and the audit trail "
            f"cannot be read ({error}): without them, --from {moment(begins)}"
        ) from error
    return total, merged(events, trail.events(wanted.since, until))


def _check(sources: Sources, wanted: Range, now: datetime) -> None:
    if any(wanted.queue == queue.dead_letters for queue in sources.queues):
        raise CannotReplay(f"{wanted.queue} is a dead-letter queue: nobody consumes it")
    if wanted.queue == METRICS:
        since = remembered_since(now, remembered_h(sources.retention_h), sources.retention_h)
        if wanted.since < since:
            raise CannotReplay(
                f"the metrics consumer forgets event ids, and would count older events twice: --from {moment(since)}, "
                "or later"
            )


def _takes(sources: Sources, queue: str) -> Callable[[str], bool]:
    """Which events the contract sends to the queue; a queue of somebody else's gets them all."""
    return next((contract.takes for contract in sources.queues if contract.name == queue), lambda _: True)


@asynccontextmanager
async def _publishing(sources: Sources, queue: str, dry_run: bool) -> AsyncIterator[Publish | None]:
    async with broker(split(sources.rabbitmq_url), "strongbox-replay") as connection:
        if await depth(connection, queue) is None:
            raise CannotReplay(f"there is no queue {queue}: declare and bind it first, so that it misses nothing")
        yield None if dry_run else partial(put_events, await connection.open_channel(), queue)


def _outcome(replayed: Replayed) -> Mapping[str, object]:
    reached = replayed.last_at and moment(replayed.last_at)
    return {"published": replayed.events, "up_to": reached, "stopped": replayed.stopped}
