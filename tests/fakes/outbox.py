"""An outbox and a broker in memory. The outbox passes the suite that the one in PostgreSQL passes."""

import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from app.kernel.errors import Unavailable
from app.platform.messaging.ports import (
    LONGEST_RETRY_S,
    Confirmed,
    Leases,
    OutboxMessage,
    Outcome,
    Rejected,
    Retry,
)
from app.platform.messaging.waves import publish_in_waves

PARTITIONS = 16


@dataclass
class _Lease:
    owner: str | None = None
    epoch: int = 0
    until: float = -math.inf

    def lasts(self, now: float, ttl_s: float) -> bool:
        """One that ends later than one would that began now is over: the clock went back."""
        return now < self.until <= now + ttl_s


@dataclass
class _Row:
    message: OutboxMessage
    sent: bool = False
    retry_at: float = -math.inf
    error: str | None = None


class FakeOutbox:
    """Rows and leases. `away` counts the calls to come that find no database."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.leases = [_Lease() for _ in range(PARTITIONS)]
        self.rows: list[_Row] = []
        self.away = 0

    def insert(self, *messages: OutboxMessage) -> None:
        self.rows += [_Row(replace(message, id=len(self.rows) + n)) for n, message in enumerate(messages)]

    def sent(self) -> list[OutboxMessage]:
        return [row.message for row in self.rows if row.sent]

    async def lease(self, owner: str, held: Collection[int], ttl_s: float) -> Leases:
        self._maybe_away()
        now = self._clock()
        others = {lease.owner for lease in self.leases if lease.lasts(now, ttl_s)} - {owner, None}
        share = math.ceil(PARTITIONS / (len(others) + 1))
        mine = {}
        for partition, lease in enumerate(self.leases):
            if lease.owner == owner and (partition in held or not lease.lasts(now, ttl_s)):
                lease.until = now + ttl_s
                mine[partition] = lease.epoch
        for partition, lease in enumerate(self.leases):
            named = sum(lease.owner == owner for lease in self.leases)
            if named < share and lease.owner != owner and not lease.lasts(now, ttl_s):
                lease.owner, lease.epoch, lease.until = owner, lease.epoch + 1, now + ttl_s
                mine[partition] = lease.epoch
        if not any(lease.owner == owner for lease in self.leases):
            self._ask(owner, now, ttl_s)
        return Leases(mine, share)

    def _ask(self, owner: str, now: float, ttl_s: float) -> None:
        owners = [lease.owner for lease in self.leases if lease.lasts(now, ttl_s)]
        most = max(owners, key=owners.count, default=None)
        if owners.count(most) > 1:
            last = max(p for p, lease in enumerate(self.leases) if lease.owner == most and lease.lasts(now, ttl_s))
            self.leases[last].owner = owner
            self.leases[last].epoch += 1

    async def release(self, owner: str, partitions: Collection[int]) -> None:
        self._maybe_away()
        for partition in partitions:
            if self.leases[partition].owner == owner:
                self.leases[partition].owner, self.leases[partition].until = None, -math.inf

    async def claim(self, partitions: Sequence[int], limit: int) -> Sequence[OutboxMessage]:
        self._maybe_away()
        now = self._clock()
        waiting = {
            row.message.subject for row in self.rows if not row.sent and now < row.retry_at <= now + LONGEST_RETRY_S
        }
        return [
            row.message
            for partition in partitions
            for row in self.rows
            if row.message.partition == partition and not row.sent and row.message.subject not in waiting
        ][:limit]

    async def record(
        self, results: Sequence[tuple[OutboxMessage, Confirmed | Retry]], epochs: Mapping[int, int]
    ) -> int:
        self._maybe_away()
        recorded = 0
        for message, outcome in results:
            row = self.rows[message.id]
            if row.sent or self.leases[message.partition].epoch != epochs.get(message.partition):
                continue
            recorded += 1
            row.sent = isinstance(outcome, Confirmed)
            if isinstance(outcome, Retry):
                row.retry_at, row.error = self._clock() + outcome.in_s, outcome.reason
                row.message = replace(row.message, attempts=row.message.attempts + 1)
        return recorded

    def _maybe_away(self) -> None:
        if self.away:
            self.away -= 1
            raise Unavailable("the database is away")


class FakePublisher:
    """Confirms what it is given, or does what `answer` does."""

    def __init__(self) -> None:
        self.published: list[OutboxMessage] = []
        self.answer: Callable[[OutboxMessage], Confirmed | Rejected] = lambda _: Confirmed()

    async def publish(self, messages: Sequence[OutboxMessage]) -> Sequence[Outcome]:
        return await publish_in_waves(messages, self._publish_wave)

    async def _publish_wave(self, messages: Sequence[OutboxMessage]) -> Sequence[Outcome]:
        outcomes = [self.answer(message) for message in messages]
        self.published += [
            message for message, outcome in zip(messages, outcomes, strict=True) if outcome == Confirmed()
        ]
        return outcomes
