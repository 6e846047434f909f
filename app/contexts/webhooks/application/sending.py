"""What is needed of the outside to send: whose turn it is, what it is, and where it is written what became of it."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.contexts.webhooks.domain.delivery import Result, Settled
from app.contexts.webhooks.domain.endpoint import Reason
from app.contexts.webhooks.domain.events import Disabled
from app.contexts.webhooks.domain.ids import DeliveryId, EndpointId
from app.contexts.webhooks.domain.lane import Lane
from app.kernel.ids import EventId
from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is this sender's to attempt until `until`, by the loop's clock: then it may be another's.

    `attempt` and `round` say which attempt that is. `sealed` are the secrets that sign, the newest first.
    """

    tenant_id: TenantId
    endpoint_id: EndpointId
    delivery_id: DeliveryId
    event_id: EventId
    round: int
    attempt: int
    url: str
    sealed: Sequence[bytes]
    body: bytes
    until: float


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt that ended, when it began, and how it ended."""

    claim: Claim
    started_at: datetime
    result: Result


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that ended attempts of a tenant change."""

    ended: Sequence[tuple[Ended, Settled]]
    lanes: Sequence[Lane]
    disabled: Mapping[EndpointId, Reason]


@dataclass(frozen=True, slots=True)
class Held:
    """Lanes as they stand, held until the work ends, how many events there were about each endpoint, and the time."""

    lanes: Sequence[Lane]
    told: Mapping[EndpointId, int]
    now: datetime


class Record(Protocol):
    """One transaction, in which lanes are held."""

    async def hold(self, endpoints: Collection[EndpointId]) -> Held:
        """Hold the lanes of those of the endpoints that there still are."""
        ...

    async def commit(self, outcome: Outcome, events: Sequence[Disabled]) -> None:
        """Write it all and commit. When this raises, the caller cannot know whether it happened."""
        ...


class Sending(Protocol):
    """What is to be sent. Everything raises Unavailable where it cannot be told or done now."""

    async def due(self) -> Sequence[TenantId]:
        """The tenants that something may be sent for now, those first that have waited longest."""
        ...

    async def claim(self, tenant_id: TenantId, most: int) -> Sequence[Claim]:
        """Up to so many deliveries of the tenant's that are due, leased and counted as attempts."""
        ...


class RecordBooks(Protocol):
    """Where it is written what became of attempts."""

    def begin(self, tenant_id: TenantId) -> AbstractAsyncContextManager[Record]:
        """Begin a record. Leaving it without a commit undoes it."""
        ...


class Call(Protocol):
    """Posts an event to a stranger."""

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes, until: float) -> Result:
        """What came of it until that time of the loop. It raises nothing."""
        ...
