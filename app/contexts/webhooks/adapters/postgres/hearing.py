"""What was heard, in PostgreSQL: two round trips a batch of a tenant's."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from app.contexts.webhooks.adapters.postgres import delivery_rows, endpoint_rows, event_rows, lane_rows
from app.contexts.webhooks.application.hear import NewDelivery
from app.contexts.webhooks.domain.delivery import Origin
from app.contexts.webhooks.domain.endpoint import Version
from app.contexts.webhooks.domain.events import Arrived
from app.kernel.ids import EventId
from app.kernel.principal import TenantId
from app.platform.postgres.pipeline import Call
from app.platform.postgres.tenancy import TenantRows, TenantTransaction


class PostgresHearing:
    """Implements the `Books` of `Hear`. An event that is kept has had its effect: it is in the same transaction."""

    def __init__(self, rows: TenantRows) -> None:
        self._rows = rows

    @asynccontextmanager
    async def begin(self, tenant_id: TenantId) -> AsyncIterator["PostgresWork"]:
        """See `Books.begin`."""
        async with self._rows.open(tenant_id) as transaction:
            yield PostgresWork(transaction, tenant_id)


class PostgresWork:
    """One transaction. It implements `Work`."""

    def __init__(self, transaction: TenantTransaction, tenant_id: TenantId) -> None:
        self._transaction = transaction
        self._tenant_id = tenant_id
        self._now: datetime | None = None

    async def enter(self, events: Sequence[Arrived]) -> tuple[Collection[EventId], Sequence[Version]]:
        """See `Work.enter`."""
        (_, fresh, versions), self._now = await self._transaction.begin(
            (event_rows.JOIN_HOUSES, (self._tenant_id,)),
            event_rows.enter(self._tenant_id, events),
            endpoint_rows.versions(self._tenant_id, min(event.at for event in events)),
        )
        known = {EventId(event_id) for (event_id,) in fresh}
        return known, [endpoint_rows.version_of(row) for row in versions]

    async def commit(self, deliveries: Sequence[NewDelivery]) -> None:
        """See `Work.commit`."""
        assert self._now is not None, "entered before"
        calls: list[Call] = []
        if deliveries:
            endpoints = list(dict.fromkeys(delivery.endpoint_id for delivery in deliveries))
            calls = [
                lane_rows.hold(endpoints),
                delivery_rows.insert(self._tenant_id, deliveries, Origin.EVENT, self._now),
                lane_rows.wake(endpoints, self._now),
            ]
        await self._transaction.commit(calls)
