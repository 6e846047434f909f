"""What is older than it is kept, in PostgreSQL."""

from collections.abc import Sequence
from typing import Final

from app.kernel.principal import TenantId
from app.platform.postgres.errors import reading, writing
from app.platform.postgres.pipeline import Statement, run
from app.platform.postgres.pool import Pool, session
from app.platform.postgres.tenancy import TenantRows

HOUSES: Final = Statement("SELECT h.tenant FROM webhooks.houses h ORDER BY h.tenant")
# What waits to be attempted is kept, unless it waits in vain for as long.
DELIVERIES: Final = Statement("""
    WITH old AS MATERIALIZED (
        SELECT d.bucket, d.endpoint_id, d.event_id FROM webhooks.deliveries d
        WHERE d.tenant_id = %b::uuid AND d.created_at < now() - make_interval(days => %b::bigint::integer)
            AND (d.status <> 'PENDING' OR d.next_attempt_at < now() - make_interval(days => %b::bigint::integer))
        ORDER BY d.created_at LIMIT %b::bigint
    )
    DELETE FROM webhooks.deliveries d USING old r
    WHERE d.bucket = r.bucket AND d.endpoint_id = r.endpoint_id AND d.event_id = r.event_id AND d.tenant_id = %b::uuid
        AND r.bucket BETWEEN 0 AND 15
    RETURNING 1
""")
ATTEMPTS: Final = Statement("""
    WITH old AS MATERIALIZED (
        SELECT a.bucket, a.endpoint_id, a.delivery_id, a.round, a.attempt FROM webhooks.attempts a
        WHERE a.tenant_id = %b::uuid AND a.started_at < now() - make_interval(days => %b::bigint::integer)
        ORDER BY a.started_at LIMIT %b::bigint
    )
    DELETE FROM webhooks.attempts a USING old r
    WHERE a.bucket = r.bucket AND a.endpoint_id = r.endpoint_id AND a.delivery_id = r.delivery_id
        AND a.round = r.round AND a.attempt = r.attempt AND a.tenant_id = %b::uuid AND r.bucket BETWEEN 0 AND 15
    RETURNING 1
""")
EVENTS: Final = Statement("""
    WITH old AS MATERIALIZED (
        SELECT e.bucket, e.event_id FROM webhooks.events e
        WHERE e.tenant_id = %b::uuid AND e.occurred_at < now() - make_interval(days => %b::bigint::integer)
        ORDER BY e.occurred_at, e.event_id LIMIT %b::bigint
    )
    DELETE FROM webhooks.events e USING old r
    WHERE e.bucket = r.bucket AND e.event_id = r.event_id AND e.tenant_id = %b::uuid AND r.bucket BETWEEN 0 AND 15
    RETURNING 1
""")


class PostgresRetention:
    """Implements `Retention`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def tenants(self) -> Sequence[TenantId]:
        """See `Retention.tenants`."""
        async with session(self._pool) as connection:
            (rows,) = await run(connection, [(HOUSES, ())])
        return [TenantId(tenant) for (tenant,) in rows]

    @writing
    async def forget(self, tenant_id: TenantId, older_than_d: int, events_older_than_d: int, limit: int) -> int:
        """See `Retention.forget`."""
        deleted = await self._rows.run(
            tenant_id,
            (DELIVERIES, (tenant_id, older_than_d, older_than_d, limit, tenant_id)),
            (ATTEMPTS, (tenant_id, older_than_d, limit, tenant_id)),
            (EVENTS, (tenant_id, events_older_than_d, limit, tenant_id)),
        )
        return max(len(rows) for rows in deleted)
