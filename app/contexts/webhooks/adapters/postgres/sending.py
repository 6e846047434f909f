"""What is to be sent, in PostgreSQL. Leases go by the database's clock."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from app.contexts.webhooks.adapters.postgres import delivery_rows, endpoint_rows, event_rows, lane_rows
from app.contexts.webhooks.application.send import LEASE_S
from app.contexts.webhooks.application.sending import Claim
from app.contexts.webhooks.domain.ids import DeliveryId, EndpointId
from app.contexts.webhooks.domain.lane import AT_ONCE
from app.kernel.ids import EventId
from app.kernel.principal import TenantId
from app.platform.postgres.errors import reading, writing
from app.platform.postgres.pipeline import Row, run
from app.platform.postgres.pool import Pool, session
from app.platform.postgres.tenancy import TenantRows, TenantTransaction


class PostgresSending:
    """Implements `Sending`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def due(self) -> Sequence[TenantId]:
        """See `Sending.due`."""
        async with session(self._pool) as connection:
            (rows,) = await run(connection, [(lane_rows.DUE, ())])
        return [TenantId(tenant) for (tenant,) in rows]

    @writing
    async def claim(self, tenant_id: TenantId, most: int) -> Sequence[Claim]:
        """See `Sending.claim`."""
        until = asyncio.get_running_loop().time() + LEASE_S
        async with self._rows.open(tenant_id) as transaction:
            (held,), now = await transaction.begin(lane_rows.take(tenant_id, most))
            lanes = [lane_rows.lane_of(row) for row in held]
            if not lanes:
                return []
            # Shared out, so that no endpoint is first with all of the room that there is here.
            share = max(1, min(AT_ONCE, most // len(lanes)))
            leased_until = now + timedelta(seconds=LEASE_S)
            _, claimed = await transaction.read(
                delivery_rows.expire(tenant_id, [lane.endpoint_id for lane in lanes], now),
                delivery_rows.claim(tenant_id, lanes, share, now, leased_until),
            )
            got = [row[0] for row in claimed]
            # Where the share was all that it got there may be more: whoever has room looks again.
            asleep = [(one.endpoint_id, share < one.room and got.count(one.endpoint_id) == share) for one in lanes]
            claims = await self._made(transaction, tenant_id, claimed, until) if claimed else []
            await transaction.commit([lane_rows.sleep(tenant_id, asleep, now)])
        return claims

    async def _made(
        self, transaction: TenantTransaction, tenant_id: TenantId, claimed: Sequence[Row], until: float
    ) -> list[Claim]:
        endpoints = list(dict.fromkeys(EndpointId(row[0]) for row in claimed))
        events = list(dict.fromkeys(EventId(row[2]) for row in claimed))
        whereto, documents = await transaction.read(
            (endpoint_rows.WHERETO, (*lane_rows.keys(endpoints), tenant_id)),
            event_rows.documents(tenant_id, events),
        )
        places = {one[0]: one for one in map(endpoint_rows.whereto_of, whereto)}
        bodies = {event_id: bytes(document) for event_id, document in documents}
        claims = []
        for endpoint_id, delivery_id, event_id, round_, attempt in claimed:
            if endpoint_id not in places or event_id not in bodies:
                continue  # forgotten since: nothing is sent of it
            _, url, sealed = places[endpoint_id]
            claims.append(
                Claim(
                    tenant_id, EndpointId(endpoint_id), DeliveryId(delivery_id), EventId(event_id), round_, attempt,
                    url, sealed, bodies[event_id], until,
                )
            )  # fmt: skip
        return claims
