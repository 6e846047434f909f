"""What relaying the outbox needs from outside."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """An unsent row of an outbox. `body` is a whole CloudEvents document, ready to be published.

    `subject` is what the event is about: those of one subject are published one after the other. `tenant_id` and
    `traceparent`, the W3C trace context, are what the message carries as headers, the second beside the one in its
    document.
    """

    user_id: UUID
    id: int
    event_id: UUID
    subject: UUID
    type: str
    body: bytes
    partition: int
    attempts: int
    tenant_id: UUID | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Every queue of the exchange's contract has the message."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The broker is up and would not take this message."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unsent:
    """It was not published: one of its subject before it was rejected, or there was no time left for it."""


Outcome = Confirmed | Rejected | Unsent
"""What became of a message that was to be published."""


@dataclass(frozen=True, slots=True)
class Retry:
    """A rejected message's next attempt: why there has to be one, and when."""

    reason: str
    in_s: float


@dataclass(frozen=True, slots=True)
class Leases:
    """The partitions that a relay holds, with the epoch of each, and how many of them are its fair share."""

    epochs: Mapping[int, int]
    share: int


CLAIMED = 2_000
"""No more events are claimed at once: so many that a broker's round trips weigh nothing."""

LONGEST_RETRY_S = 300.0
"""A rejected message waits no longer than this for its next attempt."""

COUNTED = 100_000
"""Unsent events are counted up to here: a look costs no more after a night without a broker."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in the outbox: the number of unsent events, up to `COUNTED`, and the age of the oldest."""

    depth: int
    lag_s: float


def in_words(depth: int) -> str:
    """A number of unsent events for people."""
    return f"{COUNTED:,} or more" if depth >= COUNTED else str(depth)


class BrokerUnavailable(Exception):  # noqa: N818 -- it says what the broker is, for now
    """The broker is out of reach or lacks a queue: it says nothing about any single message."""


class Publisher(Protocol):
    """A broker that takes events for every queue of an exchange's contract."""

    async def publish(self, messages: Sequence[OutboxMessage]) -> Sequence[Outcome]:
        """Publish the messages, and say of each what became of it, in the same order.

        Of one subject each is confirmed before the next is sent, and behind one that is rejected none is. It answers
        within a few seconds, whatever the broker does.

        Raises:
            BrokerUnavailable: nothing is known of any of them; they count as unpublished.
        """
        ...


class Outbox(Protocol):
    """The rows of an outbox, as a relay sees them.

    Every method raises `Unavailable` while the database is out of reach.
    """

    async def lease(self, owner: str, held: Collection[int], ttl_s: float) -> Leases:
        """Renew the leases of the partitions that are held, and take free ones up to a fair share."""
        ...

    async def release(self, owner: str, partitions: Collection[int]) -> None:
        """Give partitions up, so that another relay need not wait for their leases to end."""
        ...

    async def claim(self, partitions: Sequence[int], limit: int) -> Sequence[OutboxMessage]:
        """Up to `limit` (at most `CLAIMED`) unsent events, each partition's in id order, the first partitions' first.

        Left out are the events of subjects that have one waiting for its next attempt.
        """
        ...

    async def record(
        self, results: Sequence[tuple[OutboxMessage, Confirmed | Retry]], epochs: Mapping[int, int]
    ) -> int:
        """Mark what is sent and note what is to be tried again; answer how many rows that reached.

        A row of a partition whose epoch is not the given one any more stays as it is.
        """
        ...


class Upkeep(Protocol):
    """The outbox as a whole. Both methods raise `Unavailable` while the database is out of reach."""

    async def backlog(self) -> Backlog:
        """What waits in it."""
        ...

    async def clean_up(self, retention_h: float, limit: int) -> int:
        """Delete up to so many events that were sent longer ago than that; answer how many there were."""
        ...
