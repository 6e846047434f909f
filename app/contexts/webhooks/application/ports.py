"""What is needed of the outside to keep endpoints and their deliveries, and to have something sent again.

Everything raises Unavailable where it cannot be told or done now.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from app.contexts.webhooks.domain.delivery import Delivery, DeliveryStatus
from app.contexts.webhooks.domain.endpoint import Endpoint
from app.contexts.webhooks.domain.events import Arrived
from app.contexts.webhooks.domain.ids import DeliveryId, EndpointId
from app.kernel.ids import EventId
from app.kernel.principal import TenantId


class Place(NamedTuple):
    """Where a page begins, behind what was made then and has that id."""

    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt ended: the answer's status, or why there was none. `round` counts how often it began anew."""

    round: int
    number: int
    started_at: datetime
    took_ms: int
    status: int | None
    error: str | None


class Endpoints(Protocol):
    """The endpoints of tenants, without their secrets."""

    async def page(self, tenant_id: TenantId, before: Place | None, limit: int) -> Sequence[Endpoint]:
        """Up to `limit` of the tenant's, newest first."""
        ...

    async def one(self, tenant_id: TenantId, endpoint_id: EndpointId) -> Endpoint | None:
        """The one with that id."""
        ...


class ChangedEndpoints(Protocol):
    """The endpoints of tenants, as they are changed: each change is a version of its own."""

    async def add(self, tenant_id: TenantId, make: Callable[[datetime], Endpoint], sealed: bytes) -> Endpoint:
        """Have an endpoint, made at that time of the database's, with that secret.

        Raises:
            TooMany: the tenant has as many as one may have.
        """
        ...

    async def change(
        self, tenant_id: TenantId, endpoint_id: EndpointId, decide: Callable[[Endpoint, datetime], Endpoint]
    ) -> Endpoint | None:
        """Make of the endpoint what is decided; None if there is none with that id."""
        ...

    async def remove(self, tenant_id: TenantId, endpoint_id: EndpointId) -> bool:
        """Forget it: nothing more is sent there. False if there is none with that id."""
        ...

    async def rotate(self, tenant_id: TenantId, endpoint_id: EndpointId, sealed: bytes) -> bool:
        """Have it sign with that secret, and for a while with the one before as well; False if there is none."""
        ...


class Deliveries(Protocol):
    """Deliveries, as they are read."""

    async def page(
        self,
        tenant_id: TenantId,
        endpoint_id: EndpointId,
        status: DeliveryStatus | None,
        before: Place | None,
        limit: int,
    ) -> Sequence[Delivery]:
        """Up to `limit` of an endpoint's, newest first."""
        ...

    async def story(
        self, tenant_id: TenantId, endpoint_id: EndpointId, delivery_id: DeliveryId
    ) -> tuple[Delivery, Sequence[Attempt]] | None:
        """A delivery with what is known of its attempts, the oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many deliveries wait to be sent anew, and behind which event it goes on, if there may be more."""

    count: int
    next: tuple[datetime, EventId] | None


class SentAgain(Protocol):
    """Deliveries that somebody asks for. Each raises EndpointNotFound, and EndpointDisabled."""

    async def one(self, tenant_id: TenantId, endpoint_id: EndpointId, delivery_id: DeliveryId) -> None:
        """Begin the delivery anew.

        Raises:
            DeliveryNotFound: the endpoint has none with that id.
        """
        ...

    async def some(
        self,
        tenant_id: TenantId,
        endpoint_id: EndpointId,
        behind: tuple[datetime, EventId],
        until: datetime,
        new_id: Callable[[], UUID],
    ) -> Replayed:
        """Begin those of the next few events anew that the endpoint asks for now, and add those that it lacks: the
        events behind that place, from before `until`, in the order of their times."""
        ...

    async def test(
        self, tenant_id: TenantId, endpoint_id: EndpointId, make: Callable[[datetime], Arrived], delivery_id: DeliveryId
    ) -> None:
        """Send an event, made at that time of the database's, to this endpoint alone."""
        ...


class Seal(Protocol):
    """Keeps secrets from whoever reads the database."""

    def close(self, secret: bytes, endpoint_id: EndpointId) -> bytes:
        """The secret as it is kept."""
        ...

    def open(self, sealed: bytes, endpoint_id: EndpointId) -> bytes:
        """The secret.

        Raises:
            ValueError: it was not kept by this one, or for another endpoint.
        """
        ...
