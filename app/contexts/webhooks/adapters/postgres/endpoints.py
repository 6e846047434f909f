"""Endpoints in PostgreSQL. Whoever changes one holds its lane."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from app.contexts.webhooks.adapters.postgres import endpoint_rows, event_rows, lane_rows
from app.contexts.webhooks.application.ports import Place
from app.contexts.webhooks.domain.endpoint import MOST_OF_A_TENANT, Endpoint, Status
from app.contexts.webhooks.domain.ids import EndpointId
from app.contexts.webhooks.domain.lane import Lane
from app.contexts.webhooks.domain.refusals import TooMany
from app.kernel.principal import TenantId
from app.platform.postgres.errors import reading, writing
from app.platform.postgres.pipeline import Call
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

BEFORE_ALL: Final = Place(datetime(9999, 12, 31, tzinfo=UTC), UUID(int=2**128 - 1))
"""Nothing is newer."""


class PostgresEndpoints:
    """Implements `Endpoints` and `ChangedEndpoints`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def page(self, tenant_id: TenantId, before: Place | None, limit: int) -> Sequence[Endpoint]:
        """See `Endpoints.page`."""
        (rows,) = await self._rows.run(tenant_id, (endpoint_rows.PAGE, (tenant_id, *(before or BEFORE_ALL), limit)))
        return [endpoint_rows.endpoint_of(row) for row in rows]

    @reading
    async def one(self, tenant_id: TenantId, endpoint_id: EndpointId) -> Endpoint | None:
        """See `Endpoints.one`."""
        (rows,) = await self._rows.run(tenant_id, (endpoint_rows.READ, endpoint_rows.key(tenant_id, endpoint_id)))
        return endpoint_rows.endpoint_of(rows[0]) if rows else None

    @writing
    async def add(self, tenant_id: TenantId, make: Callable[[datetime], Endpoint], sealed: bytes) -> Endpoint:
        """See `ChangedEndpoints.add`."""
        async with self._rows.open(tenant_id) as transaction:
            (_, _, ((count,),)), now = await transaction.begin(
                (event_rows.JOIN_HOUSES, (tenant_id,)),
                (endpoint_rows.HOLD_HOUSE, (tenant_id,)),
                (endpoint_rows.COUNT, (tenant_id,)),
            )
            if count >= MOST_OF_A_TENANT:
                raise TooMany(MOST_OF_A_TENANT)
            endpoint = make(now)
            await transaction.commit([
                endpoint_rows.insert(endpoint, sealed),
                endpoint_rows.add_version(endpoint),
                lane_rows.insert(tenant_id, endpoint.id, is_active=True),
            ])  # fmt: skip
        return endpoint

    @writing
    async def change(
        self, tenant_id: TenantId, endpoint_id: EndpointId, decide: Callable[[Endpoint, datetime], Endpoint]
    ) -> Endpoint | None:
        """See `ChangedEndpoints.change`."""
        async with self._rows.open(tenant_id) as transaction:
            (_, rows), now = await transaction.begin(
                lane_rows.hold([endpoint_id]), (endpoint_rows.READ, endpoint_rows.key(tenant_id, endpoint_id))
            )
            if not rows:
                return None
            before = endpoint_rows.endpoint_of(rows[0])
            after = decide(before, now)
            if after == before:
                return after
            calls: list[Call] = [endpoint_rows.update(after), endpoint_rows.add_version(after)]
            if after.status is not before.status:  # what was before counts no more
                lane = Lane(endpoint_id, after.status is Status.ACTIVE)
                calls.append(lane_rows.update(tenant_id, [lane]))
            await transaction.commit(calls)
        return after

    @writing
    async def remove(self, tenant_id: TenantId, endpoint_id: EndpointId) -> bool:
        """See `ChangedEndpoints.remove`. Its deliveries go when they are old."""
        key = endpoint_rows.key(tenant_id, endpoint_id)
        async with self._rows.open(tenant_id) as transaction:
            (_, rows), _ = await transaction.begin(lane_rows.hold([endpoint_id]), (endpoint_rows.DELETE, key))
            if not rows:
                return False
            await transaction.commit([(endpoint_rows.FORGET_VERSIONS, key), lane_rows.delete(endpoint_id)])
        return True

    @writing
    async def rotate(self, tenant_id: TenantId, endpoint_id: EndpointId, sealed: bytes) -> bool:
        """See `ChangedEndpoints.rotate`."""
        async with self._rows.open(tenant_id) as transaction:
            (_, rows), _ = await transaction.begin(
                lane_rows.hold([endpoint_id]),
                (endpoint_rows.ROTATE, (sealed, *endpoint_rows.key(tenant_id, endpoint_id))),
            )
            await transaction.commit([])
        return bool(rows)
