"""Hear events, and write down to whom each is to be sent: once, in one transaction a tenant."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import NamedTuple, Protocol

from app.contexts.webhooks.domain.endpoint import Version, in_force
from app.contexts.webhooks.domain.events import Arrived
from app.contexts.webhooks.domain.ids import DeliveryId, EndpointId
from app.kernel.ids import EventId
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId


class NewDelivery(NamedTuple):
    """An event that an endpoint asked for when it happened."""

    id: DeliveryId
    endpoint_id: EndpointId
    event: Arrived


class Work(Protocol):
    """One transaction over the rows of a tenant."""

    async def enter(self, events: Sequence[Arrived]) -> tuple[Collection[EventId], Sequence[Version]]:
        """Keep the events. Which of them are new, and the versions of the tenant's endpoints that they may go by,
        each endpoint's together, the oldest first."""
        ...

    async def commit(self, deliveries: Sequence[NewDelivery]) -> None:
        """Write the deliveries and commit. When this raises, the caller cannot know whether it happened."""
        ...


class Books(Protocol):
    """Where it is written."""

    def begin(self, tenant_id: TenantId) -> AbstractAsyncContextManager[Work]:
        """Begin a work. Leaving it without a commit undoes it."""
        ...


@dataclass(frozen=True, slots=True)
class Hear:
    """Hears events. Where one tenant's fail, those of the others are known when all come again."""

    books: Books
    ids: Ids

    async def __call__(self, events: Sequence[Arrived]) -> None:
        """Write down what is to be sent of them."""
        by_tenant: dict[TenantId, dict[EventId, Arrived]] = {}
        for event in events:
            by_tenant.setdefault(event.tenant_id, {}).setdefault(event.id, event)
        for tenant_id, own in by_tenant.items():
            async with self.books.begin(tenant_id) as work:
                fresh, versions = await work.enter(list(own.values()))
                await work.commit(self._asked_for([event for id_, event in own.items() if id_ in fresh], versions))

    def _asked_for(self, events: Sequence[Arrived], versions: Sequence[Version]) -> list[NewDelivery]:
        found = []
        for endpoint_id, each in groupby(versions, key=lambda version: version.endpoint_id):
            own = list(each)
            known: dict[tuple[datetime, str], bool] = {}
            for event in events:
                version = own[-1] if own[-1].starts_at <= event.at else in_force(own, event.at)
                if version is None:
                    continue
                key = version.starts_at, event.type
                if key not in known:
                    known[key] = version.asks_for(event.type)
                if known[key]:
                    found.append(NewDelivery(DeliveryId(self.ids()), endpoint_id, event))
        return found
