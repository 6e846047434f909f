"""What became of attempts, in PostgreSQL: two round trips for all of a tenant's that ended together."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from app.contexts.webhooks.adapters.postgres import delivery_rows, endpoint_rows, lane_rows
from app.contexts.webhooks.adapters.postgres.event_documents import OUTBOX, outbox_row
from app.contexts.webhooks.application.sending import Held, Outcome
from app.contexts.webhooks.domain.endpoint import Endpoint, Status
from app.contexts.webhooks.domain.events import Disabled
from app.contexts.webhooks.domain.ids import EndpointId
from app.kernel.principal import TenantId
from app.platform.postgres.pipeline import Call
from app.platform.postgres.tenancy import TenantRows, TenantTransaction


class PostgresRecords:
    """Implements `RecordBooks`."""

    def __init__(self, rows: TenantRows) -> None:
        self._rows = rows

    @asynccontextmanager
    async def begin(self, tenant_id: TenantId) -> AsyncIterator["PostgresRecord"]:
        """See `RecordBooks.begin`."""
        async with self._rows.open(tenant_id) as transaction:
            yield PostgresRecord(transaction, tenant_id)


class PostgresRecord:
    """One transaction. It implements `Record`."""

    def __init__(self, transaction: TenantTransaction, tenant_id: TenantId) -> None:
        self._transaction = transaction
        self._tenant_id = tenant_id
        self._endpoints: dict[EndpointId, Endpoint] = {}
        self._now: datetime | None = None

    async def hold(self, endpoints: Collection[EndpointId]) -> Held:
        """See `Record.hold`."""
        keys = lane_rows.keys(sorted(endpoints))
        (held, known), now = await self._transaction.begin(
            (lane_rows.HOLD, keys), (endpoint_rows.TOLD, (*keys, self._tenant_id))
        )
        self._now = now
        self._endpoints = {one.id: one for one in map(endpoint_rows.endpoint_of, known)}
        lanes = [lane for lane in map(lane_rows.lane_of, held) if lane.endpoint_id in self._endpoints]
        return Held(lanes, {one.id: one.told for one in self._endpoints.values()}, now)

    async def commit(self, outcome: Outcome, events: Sequence[Disabled]) -> None:
        """See `Record.commit`."""
        assert self._now is not None, "held before"
        calls: list[Call] = [
            delivery_rows.settle(self._tenant_id, outcome.ended, self._now),
            delivery_rows.tell(self._tenant_id, outcome.ended),
        ]
        for event in events:
            before = self._endpoints[event.endpoint_id]
            after = replace(
                before, status=Status.DISABLED, reason=event.reason, version=before.version + 1, told=event.sequence,
                updated_at=event.at,
            )  # fmt: skip
            calls += [endpoint_rows.update(after), endpoint_rows.add_version(after)]
        if outcome.lanes:
            lanes = [
                replace(lane, is_active=False) if lane.endpoint_id in outcome.disabled else lane
                for lane in outcome.lanes
            ]
            calls.append(lane_rows.update(self._tenant_id, lanes))
        if events:
            calls.append(OUTBOX.insert([outbox_row(event) for event in events]))
        await self._transaction.commit(calls)
