"""Relay: publish what an outbox holds, each subject's events in order, at least once.

An event is published if and only if its row is committed, and marked only after every queue has it: whatever dies in
between, it is published again. Rows are claimed by partition; leases with epochs give each partition to one relay.
"""

import asyncio
import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from app.kernel.errors import Unavailable
from app.platform.messaging.leases import LeaseHolder
from app.platform.messaging.ports import (
    CLAIMED,
    LONGEST_RETRY_S,
    BrokerUnavailable,
    Confirmed,
    Outbox,
    OutboxMessage,
    Publisher,
    Rejected,
    Retry,
)

# What is under way is halved with each failure, and grows by a little with each success, so that a broker too slow to
# confirm it all in a publisher's time is not sent the same again and again.
LEAST_UNDER_WAY: Final = 20
MOST_GROWTH: Final = 250

# So many batches under way, each of partitions of its own: while some wait for the broker others are in the database.
BATCHES: Final = 4
# Low enough that service resumes within moments of the broker's or the database's return.
OUTAGE_BACKOFF_S: Final = (0.1, 2.0)
# What the broker will not take is most likely a fault that people have to mend.
REJECTED_BACKOFF_S: Final = (1.0, LONGEST_RETRY_S)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Claimed messages, the epochs of their partitions, whether more are likely to wait behind them, and how many
    failures in a row there had been when it began.
    """

    messages: Sequence[OutboxMessage]
    epochs: Mapping[int, int]
    is_full: bool
    failures: int


class Relay:
    """Publishes the events of the partitions that it leases as `owner`, a name that no other process has.

    `unsent` is set, again and again, while there is something to publish (see `Lookout`), and cleared here. `clock` is
    monotonic, in seconds; `random_share` draws from 0 … 1.
    """

    def __init__(
        self,
        outbox: Outbox,
        publisher: Publisher,
        owner: str,
        unsent: asyncio.Event,
        *,
        clock: Callable[[], float] = time.monotonic,
        random_share: Callable[[], float] = random.random,
    ) -> None:
        self._outbox = outbox
        self._publisher = publisher
        self._owner = owner
        self._unsent = unsent
        self._random_share = random_share
        self._leases = LeaseHolder(outbox, owner, clock, self._finished)
        self._under_way: dict[asyncio.Task[None], _Batch] = {}
        self._more = False
        self._failures = 0
        self._room = BATCHES * CLAIMED

    @property
    def partitions(self) -> int:
        """How many partitions it may publish from now."""
        return len(self._leases.epochs) if self._leases.usable else 0

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until told to stop; then finish what is being published, mark it, and give the leases up."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._leases.keep(stop))
            tasks.create_task(self._relay(stop))
        await self._leases.give_up()

    async def _relay(self, stop: asyncio.Event) -> None:
        stopped = asyncio.create_task(stop.wait())
        try:
            async with asyncio.TaskGroup() as tasks:
                while not stop.is_set():
                    await self._begin(tasks)
                    await self._until_worth_it(stopped)
        finally:
            stopped.cancel()

    async def _begin(self, tasks: asyncio.TaskGroup) -> None:
        """Claim a batch, and relay it from now on."""
        self._more = False
        self._unsent.clear()
        failures = self._failures
        try:
            batch = await self._claim()
        except Unavailable as error:
            self._failed(failures, error)
            return
        if batch is None:
            return
        self._more |= batch.is_full
        if batch.messages:
            task = tasks.create_task(self._relay_batch(batch))
            self._under_way[task] = batch
            task.add_done_callback(self._under_way.pop)
        elif not self._under_way:
            self._succeeded()

    async def _until_worth_it(self, stopped: asyncio.Task[bool]) -> None:
        """Wait until the next claim is likely to find something, or to work again after failures."""
        if not self._failures and not self._more:
            full = [task for task, batch in self._under_way.items() if batch.is_full]
            unsent = asyncio.create_task(self._unsent.wait())
            await asyncio.wait({stopped, unsent, *full}, return_when="FIRST_COMPLETED")
            unsent.cancel()
        while not stopped.done() and not self._has_room():
            await asyncio.wait({stopped, *self._under_way}, return_when="FIRST_COMPLETED")
        if self._failures:
            await asyncio.wait({stopped}, timeout=self._back_off_s(OUTAGE_BACKOFF_S, self._failures - 1))

    async def _finished(self, partitions: Collection[int]) -> None:
        theirs = [task for task, batch in self._under_way.items() if not batch.epochs.keys().isdisjoint(partitions)]
        if theirs:
            await asyncio.wait(theirs)

    def _has_room(self) -> bool:
        """Whether a whole batch more may be under way."""
        under_way = sum(len(batch.messages) for batch in self._under_way.values())
        return len(self._under_way) < BATCHES and under_way + min(CLAIMED, self._room) <= self._room

    async def _claim(self) -> _Batch | None:
        """A batch of partitions that no other batch is under way of; nothing when there is none to ask for."""
        busy = {partition for batch in self._under_way.values() for partition in batch.epochs}
        epochs = {partition: epoch for partition, epoch in self._leases.epochs.items() if partition not in busy}
        if not epochs or not self._leases.usable:
            return None
        partitions = sorted(epochs)
        # A different one first each time, so that none with a long backlog starves the others.
        first = int(self._random_share() * len(partitions)) % len(partitions)
        limit, failures = min(CLAIMED, self._room), self._failures
        messages = await self._outbox.claim(partitions[first:] + partitions[:first], limit)
        theirs = {message.partition: epochs[message.partition] for message in messages}
        return _Batch(messages, theirs, len(messages) == limit, failures)

    async def _relay_batch(self, batch: _Batch) -> None:
        """Publish and mark a batch. What a bug leaves unmarked is published again, as after any other death."""
        results: list[tuple[OutboxMessage, Confirmed | Retry]] = []
        failure: BrokerUnavailable | Unavailable | None = None
        try:
            await self._publish(batch, results)
        except BrokerUnavailable as error:
            failure = error
        try:
            if results:
                await self._record(results, batch)
        except Unavailable as error:
            failure = error
        self._more |= batch.is_full
        if failure is None:
            self._succeeded()
        else:
            self._failed(batch.failures, failure)

    async def _publish(self, batch: _Batch, results: list[tuple[OutboxMessage, Confirmed | Retry]]) -> None:
        ours = self._leases.still_ours(batch.messages, batch.epochs)
        if not ours or not self._leases.usable:
            return
        for message, outcome in zip(ours, await self._publisher.publish(ours), strict=True):
            match outcome:
                case Confirmed():
                    results.append((message, outcome))
                case Rejected():
                    results.append((message, self._retry(message, outcome)))

    async def _record(self, results: Sequence[tuple[OutboxMessage, Confirmed | Retry]], batch: _Batch) -> None:
        # The events are out: as long as the leases last it is worth waiting for the database to say so.
        attempts = 0
        while True:
            try:
                recorded = await self._outbox.record(results, batch.epochs)
                break
            except Unavailable as error:
                self._failed(batch.failures, error)
                if not self._leases.usable:
                    raise
                await asyncio.sleep(self._back_off_s(OUTAGE_BACKOFF_S, attempts))
                attempts += 1
        # An attempt whose answer was lost may have marked them: then there is nothing left for the next to mark.
        if recorded < len(results) and not attempts:
            # Another relay took a partition over; it will publish again what was not marked.
            _log.warning("lease_lost", owner=self._owner, unmarked=len(results) - recorded)
            self._leases.lost(batch.epochs)

    def _failed(self, failures_before: int, error: Exception) -> None:
        """Count a failure of what began after so many of them: one outage ends all that is under way."""
        if failures_before < self._failures:
            return
        if self._failures == 0:
            _log.warning("relay_waits", error=type(error).__name__, reason=str(error))
        self._failures += 1
        self._room = max(LEAST_UNDER_WAY, self._room // 2)

    def _succeeded(self) -> None:
        if self._failures:
            _log.info("relay_resumes", failures=self._failures)
        self._failures = 0
        self._room = min(BATCHES * CLAIMED, self._room + min(self._room // 4, MOST_GROWTH))

    def _retry(self, message: OutboxMessage, rejected: Rejected) -> Retry:
        in_s = self._back_off_s(REJECTED_BACKOFF_S, message.attempts)
        _log.error(
            "event_rejected",
            event_id=str(message.event_id),
            subject=str(message.subject),
            attempts=message.attempts + 1,
            retry_in_s=round(in_s, 1),
            reason=rejected.reason,
        )
        return Retry(rejected.reason, in_s)

    def _back_off_s(self, limits_s: tuple[float, float], failures: int) -> float:
        first_s, most_s = limits_s
        return float(min(most_s, first_s * 2 ** min(failures, 20))) * (0.5 + self._random_share() / 2)
