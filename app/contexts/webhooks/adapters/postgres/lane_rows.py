"""Rows of lanes. They belong to nobody: what they say of an endpoint is whose turn it is."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from app.contexts.webhooks.domain.ids import EndpointId
from app.contexts.webhooks.domain.lane import Lane
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.pipeline import Call, Row, Statement, columns

LOOKED_AT: Final = 256
"""Lanes that are looked at for one look at what is due."""

_COLUMNS: Final = "l.endpoint_id, l.is_active, l.strikes, l.open_until, l.failing_since"
# By the time at which the transaction began: of the clock itself no index knows.
DUE: Final = Statement(f"""
    SELECT l.tenant FROM (
        SELECT tenant, wake_at FROM webhooks.lanes WHERE wake_at <= now() ORDER BY wake_at LIMIT {LOOKED_AT}
    ) l
    GROUP BY l.tenant ORDER BY min(l.wake_at)
""")
# A lane that somebody else holds is their turn: it is passed over, so that nobody ever waits here.
TAKE: Final = Statement(f"""
    SELECT {_COLUMNS} FROM webhooks.lanes l
    WHERE l.tenant = %b::uuid AND l.wake_at <= now()
    ORDER BY l.wake_at LIMIT %b::bigint FOR NO KEY UPDATE SKIP LOCKED
""")
# In the order of their keys, so that two who hold several never wait for each other.
HOLD: Final = Statement(f"""
    SELECT {_COLUMNS} FROM webhooks.lanes l
    WHERE (l.bucket, l.endpoint_id) IN (SELECT * FROM unnest(%b::smallint[], %b::uuid[]))
    ORDER BY l.bucket, l.endpoint_id FOR NO KEY UPDATE
""")
INSERT: Final = Statement("""
    INSERT INTO webhooks.lanes (bucket, endpoint_id, tenant, is_active)
    VALUES (%b::smallint, %b::uuid, %b::uuid, %b::boolean)
""")
DELETE: Final = Statement("DELETE FROM webhooks.lanes l WHERE l.bucket = %b::smallint AND l.endpoint_id = %b::uuid")
WAKE: Final = Statement("""
    UPDATE webhooks.lanes l SET wake_at = greatest(l.open_until, least(l.wake_at, r.at))
    FROM unnest(%b::smallint[], %b::uuid[], %b::timestamptz[]) AS r (bucket, endpoint_id, at)
    WHERE l.bucket = r.bucket AND l.endpoint_id = r.endpoint_id AND l.is_active
""")
# The first of what waits behind that time, found by index: what was due then is in somebody's hands, or behind that.
SLEEP: Final = Statement("""
    UPDATE webhooks.lanes l SET wake_at = CASE WHEN r.again THEN r.now ELSE (
        SELECT d.next_attempt_at FROM webhooks.deliveries d
        WHERE d.bucket = r.bucket AND d.endpoint_id = r.endpoint_id AND d.tenant_id = %b::uuid
            AND d.status = 'PENDING' AND d.next_attempt_at > r.now
        ORDER BY d.next_attempt_at LIMIT 1
    ) END
    FROM unnest(%b::smallint[], %b::uuid[], %b::boolean[], %b::timestamptz[]) AS r (bucket, endpoint_id, again, now)
    WHERE l.bucket = r.bucket AND l.endpoint_id = r.endpoint_id AND l.is_active
""")
# The first of all that waits: whoever has ended a call has made room.
UPDATE: Final = Statement("""
    UPDATE webhooks.lanes l
    SET is_active = r.is_active, strikes = r.strikes, open_until = r.open_until, failing_since = r.failing_since,
        wake_at = CASE WHEN r.is_active THEN (
            SELECT greatest(r.open_until, d.next_attempt_at) FROM webhooks.deliveries d
            WHERE d.bucket = r.bucket AND d.endpoint_id = r.endpoint_id AND d.tenant_id = %b::uuid
                AND d.status = 'PENDING'
            ORDER BY d.next_attempt_at LIMIT 1
        ) END
    FROM unnest(%b::smallint[], %b::uuid[], %b::boolean[], %b::smallint[], %b::timestamptz[], %b::timestamptz[])
        AS r (bucket, endpoint_id, is_active, strikes, open_until, failing_since)
    WHERE l.bucket = r.bucket AND l.endpoint_id = r.endpoint_id
""")


def keys(endpoints: Collection[EndpointId]) -> tuple[list[int], list[EndpointId]]:
    """The keys of endpoints, as `unnest` takes them."""
    return [bucket_of(one) for one in endpoints], list(endpoints)


def take(tenant_id: TenantId, most: int) -> Call:
    """The statement that holds lanes that are due and that nobody holds; `lane_of` reads its rows."""
    return TAKE, (tenant_id, most)


def hold(endpoints: Collection[EndpointId]) -> Call:
    """The statement that holds the lanes of these; `lane_of` reads its rows."""
    return HOLD, keys(endpoints)


def wake(endpoints: Collection[EndpointId], at: datetime) -> Call:
    """The statement that has somebody look at these at that time, or when they are called again at all."""
    return WAKE, (*keys(endpoints), [at] * len(endpoints))


def sleep(tenant_id: TenantId, lanes: Sequence[tuple[EndpointId, bool]], now: datetime) -> Call:
    """The statement that has nobody look at these before there is something to be done: `now` again, where it says so.
    All that was due by then has been looked at."""
    ids = [endpoint_id for endpoint_id, _ in lanes]
    return SLEEP, (tenant_id, *keys(ids), [again for _, again in lanes], [now] * len(lanes))


def update(tenant_id: TenantId, lanes: Sequence[Lane]) -> Call:
    """The statement that writes lanes as they are now. They are held."""
    rows = [
        (bucket_of(one.endpoint_id), one.endpoint_id, one.is_active, one.strikes, one.open_until, one.failing_since)
        for one in lanes
    ]
    return UPDATE, (tenant_id, *columns(rows))


def insert(tenant_id: TenantId, endpoint_id: EndpointId, *, is_active: bool) -> Call:
    """The statement that opens a lane."""
    return INSERT, (bucket_of(endpoint_id), endpoint_id, tenant_id, is_active)


def delete(endpoint_id: EndpointId) -> Call:
    """The statement that closes it for good."""
    return DELETE, (bucket_of(endpoint_id), endpoint_id)


def lane_of(row: Row) -> Lane:
    """The lane in a row."""
    endpoint_id, is_active, strikes, open_until, failing_since = row
    return Lane(EndpointId(endpoint_id), is_active, strikes, open_until, failing_since)
