"""`strongbox outbox replay`: which events, from where, into which queue."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from app.adapters.postgres.inspection import inspecting
from app.adapters.postgres.past import clock_of, past_of_the_outbox, past_of_the_trail
from app.adapters.rabbitmq import topology
from app.adapters.rabbitmq.connection import split
from app.adapters.rabbitmq.queues import broker, depth, put_events
from app.application.actions import Actions, recorded
from app.application.outbox.replay import (
    CannotReplay,
    PastEvent,
    Publish,
    Replayed,
    merged,
    outbox_begins,
    remembered_since,
    replay,
)
from app.application.ports import Unavailable
from app.main.settings import Settings
from app.main.terminal import Progress, moment
from consumers.kit.inbox import remembered_h


@dataclass(frozen=True, slots=True)
class Range:
    """What is to be replayed: events that occurred from `since` until before `until`."""

    since: datetime
    until: datetime
    queue: str


async def replay_range(
    settings: Settings, record: Actions, wanted: Range, dry_run: bool, progress: Progress, stop: asyncio.Event
) -> Replayed:
    """Publish the range's events into the queue, or only count them.

    Raises:
        CannotReplay: the queue, or the range, is not one that can be replayed.
        NotRecorded: see `recorded`.
        Unavailable: a database or the broker is out of reach; what is published is, and it can be done again.
    """
    async with AsyncExitStack() as stack:
        total, events = await _events(settings, wanted, stack)
        publish = await stack.enter_async_context(_publishing(settings, wanted.queue, dry_run))

        def show(done: int) -> None:
            progress("counting" if dry_run else f"into {wanted.queue}", done, total)

        run = partial(replay, events, _takes(wanted.queue), publish, show, stop)
        if dry_run:
            return await run()
        details = {"from": moment(wanted.since), "to": moment(wanted.until), "queue": wanted.queue}
        async with recorded(record, "outbox replay", details) as outcome:
            replayed = await run()
            outcome.update(_outcome(replayed))
        return replayed


async def _events(settings: Settings, wanted: Range, stack: AsyncExitStack) -> tuple[int, AsyncIterator[PastEvent]]:
    """How many there are at most, and the events: from the outbox, and what is too old for it from the trail."""
    books = await stack.enter_async_context(inspecting(settings.database_url, None))
    now = await clock_of(books)
    _check(wanted, now, settings.outbox_retention_h)
    outbox = past_of_the_outbox(books)
    total = await outbox.count(wanted.since, wanted.until)
    events = outbox.events(wanted.since, wanted.until)
    begins = outbox_begins(now, settings.outbox_retention_h)
    if wanted.since >= begins:
        return total, events
    until = min(begins, wanted.until)
    try:
        trail = past_of_the_trail(await stack.enter_async_context(inspecting(settings.consumers_url, None)))
        total += await trail.count(wanted.since, until)
    except Unavailable as error:
        raise CannotReplay(
            f"events from {moment(wanted.since)} to {moment(until)} are too old for the outbox, and the audit trail "
            f"cannot be read ({error}): without them, --from {moment(begins)}"
        ) from error
    return total, merged(events, trail.events(wanted.since, until))


def _check(wanted: Range, now: datetime, retention_h: float) -> None:
    if any(wanted.queue == queue.dead_letters for queue in topology.QUEUES):
        raise CannotReplay(f"{wanted.queue} is a dead-letter queue: nobody consumes it")
    if wanted.queue == topology.METRICS.name:
        since = remembered_since(now, remembered_h(retention_h), retention_h)
        if wanted.since < since:
            raise CannotReplay(
                f"the metrics consumer forgets event ids, and would count older events twice: --from {moment(since)}, "
                "or later"
            )


def _takes(queue: str) -> Callable[[str], bool]:
    """Which events the contract sends to the queue; a queue of somebody else's gets them all."""
    return next((contract.takes for contract in topology.QUEUES if contract.name == queue), lambda _: True)


@asynccontextmanager
async def _publishing(settings: Settings, queue: str, dry_run: bool) -> AsyncIterator[Publish | None]:
    async with broker(split(settings.rabbitmq_url), "strongbox-replay") as connection:
        if await depth(connection, queue) is None:
            raise CannotReplay(f"there is no queue {queue}: declare and bind it first, so that it misses nothing")
        yield None if dry_run else partial(put_events, await connection.open_channel(), queue)


def _outcome(replayed: Replayed) -> Mapping[str, object]:
    reached = replayed.last_at and moment(replayed.last_at)
    return {"published": replayed.events, "up_to": reached, "stopped": replayed.stopped}
