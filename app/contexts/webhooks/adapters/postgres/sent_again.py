"""Deliveries that somebody asks for, in PostgreSQL. The lane is held: a sender takes up what is there then."""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from app.contexts.webhooks.adapters.postgres import delivery_rows, endpoint_rows, event_rows, lane_rows
from app.contexts.webhooks.application.hear import NewDelivery
from app.contexts.webhooks.application.ports import Replayed
from app.contexts.webhooks.domain.delivery import Origin
from app.contexts.webhooks.domain.endpoint import Endpoint, Status
from app.contexts.webhooks.domain.events import Arrived
from app.contexts.webhooks.domain.ids import DeliveryId, EndpointId
from app.contexts.webhooks.domain.refusals import DeliveryNotFound, EndpointDisabled, EndpointNotFound
from app.kernel.ids import EventId
from app.kernel.principal import TenantId
from app.platform.postgres.errors import writing
from app.platform.postgres.pipeline import Row
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

PART: Final = 1_000
"""Events that are looked at in one transaction."""


class PostgresSentAgain:
    """Implements `SentAgain`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @writing
    async def one(self, tenant_id: TenantId, endpoint_id: EndpointId, delivery_id: DeliveryId) -> None:
        """See `SentAgain.one`."""
        async with self._rows.open(tenant_id) as transaction:
            (_, rows), now = await transaction.begin(
                lane_rows.hold([endpoint_id]), (endpoint_rows.READ, endpoint_rows.key(tenant_id, endpoint_id))
            )
            _active(rows)
            (begun,) = await transaction.read(delivery_rows.begin_anew(tenant_id, endpoint_id, delivery_id, now))
            if not begun:
                raise DeliveryNotFound
            await transaction.commit([lane_rows.wake([endpoint_id], now)])

    @writing
    async def some(
        self, tenant_id: TenantId, endpoint_id: EndpointId, behind: tuple[datetime, EventId], until: datetime,
        new_id: Callable[[], UUID],
    ) -> Replayed:  # fmt: skip
        """See `SentAgain.some`."""
        async with self._rows.open(tenant_id) as transaction:
            (_, rows), now = await transaction.begin(
                lane_rows.hold([endpoint_id]), (endpoint_rows.READ, endpoint_rows.key(tenant_id, endpoint_id))
            )
            endpoint = _active(rows)
            (page,) = await transaction.read(event_rows.page(tenant_id, endpoint.types, behind, until, PART))
            events = [event for event in (event_rows.asked_for(tenant_id, row) for row in page) if event]
            new = [NewDelivery(DeliveryId(new_id()), endpoint_id, event) for event in events]
            if new:
                await transaction.commit(
                    [delivery_rows.replay(tenant_id, new, now), lane_rows.wake([endpoint_id], now)]
                )
        last = page[-1] if len(page) == PART else None
        return Replayed(len(new), None if last is None else (last[4], EventId(last[0])))

    @writing
    async def test(
        self, tenant_id: TenantId, endpoint_id: EndpointId, make: Callable[[datetime], Arrived], delivery_id: DeliveryId
    ) -> None:
        """See `SentAgain.test`."""
        async with self._rows.open(tenant_id) as transaction:
            (_, rows), now = await transaction.begin(
                lane_rows.hold([endpoint_id]), (endpoint_rows.READ, endpoint_rows.key(tenant_id, endpoint_id))
            )
            _active(rows)
            event = make(now)
            new = NewDelivery(delivery_id, endpoint_id, event)
            await transaction.commit([
                event_rows.enter(tenant_id, [event], only_for=endpoint_id),
                delivery_rows.insert(tenant_id, [new], Origin.TEST, now),
                lane_rows.wake([endpoint_id], now),
            ])  # fmt: skip


def _active(rows: list[Row]) -> Endpoint:
    if not rows:
        raise EndpointNotFound
    endpoint = endpoint_rows.endpoint_of(rows[0])
    if endpoint.status is Status.DISABLED:
        raise EndpointDisabled
    return endpoint
