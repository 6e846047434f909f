"""A delivery: an event on its way to an endpoint, what an attempt came to, and when the next one is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.contexts.webhooks.domain.ids import DeliveryId, EndpointId
from app.kernel.ids import EventId

DELAYS_S: Final = (0.0, 5.0, 30.0, 120.0, 600.0, 3_600.0, 10_800.0, 28_800.0, 57_600.0, 86_400.0)
"""How long after the attempt before each one is."""
MOST_ATTEMPTS: Final = len(DELAYS_S)
JITTER: Final = 0.1
"""That part of a delay more or less, so that what failed together does not come again together."""
MOST_RETRY_AFTER_S: Final = 3_600.0
_WITH_RETRY_AFTER: Final = (429, 503)
GONE: Final = 410


class DeliveryStatus(StrEnum):
    """How far it is."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


class Origin(StrEnum):
    """Why there is a delivery: the endpoint asked for the event when it happened, or somebody for the delivery."""

    EVENT = "event"
    REPLAY = "replay"
    TEST = "test"


class Error(StrEnum):
    """Why an attempt came to nothing, where no answer says it."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    TLS = "tls"
    NAME = "name"
    """Nobody knows the host."""
    ADDRESS = "address"
    """The host is at an address that may not be called."""
    PROTOCOL = "protocol"
    """What came is no answer of HTTP/1.1."""
    SECRET = "secret"  # noqa: S105 -- that it cannot be read
    """What it is signed with cannot be read: it was kept under another WEBHOOK_KEY."""
    LOST = "lost"
    """The process that made the attempt never told how it ended."""


UNANSWERED: Final = frozenset({Error.TIMEOUT, Error.CONNECTION, Error.TLS, Error.NAME})
"""Nobody was there."""


@dataclass(frozen=True, slots=True)
class Result:
    """What an attempt came to: an answer's status, or why there was none."""

    status: int | None = None
    error: Error | None = None
    retry_after_s: float | None = None
    took_s: float = 0.0

    @property
    def is_success(self) -> bool:
        """Whether the event is delivered."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_strike(self) -> bool:
        """Whether nobody was there. Answers, whichever, are no strikes."""
        return self.error in UNANSWERED


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as it stands."""

    id: DeliveryId
    endpoint_id: EndpointId
    event_id: EventId
    type: str
    subject: UUID
    status: DeliveryStatus
    attempts: int
    last_status: int | None
    last_error: str | None
    next_attempt_at: datetime | None
    created_at: datetime
    delivered_at: datetime | None
    origin: Origin
    round: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """What an attempt makes of its delivery."""

    status: DeliveryStatus
    next_attempt_at: datetime | None = None


def settled(result: Result, attempt: int, jitter: float, now: datetime) -> Settled:
    """What this attempt (the first is 1) makes of its delivery. `jitter` is from -1 to 1."""
    if result.is_success:
        return Settled(DeliveryStatus.DELIVERED)
    if attempt >= MOST_ATTEMPTS:
        return Settled(DeliveryStatus.FAILED)
    wait_s = DELAYS_S[attempt] * (1 + JITTER * jitter)
    if result.status in _WITH_RETRY_AFTER and result.retry_after_s is not None:
        wait_s = max(wait_s, min(result.retry_after_s, MOST_RETRY_AFTER_S))
    return Settled(DeliveryStatus.PENDING, now + timedelta(seconds=wait_s))
