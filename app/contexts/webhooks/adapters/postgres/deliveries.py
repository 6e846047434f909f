"""Deliveries in PostgreSQL, as they are read."""

from collections.abc import Sequence
from typing import Final

from app.contexts.webhooks.adapters.postgres.endpoints import BEFORE_ALL
from app.contexts.webhooks.application.ports import Attempt, Place
from app.contexts.webhooks.domain.delivery import Delivery, DeliveryStatus, Origin
from app.contexts.webhooks.domain.ids import DeliveryId, EndpointId
from app.kernel.ids import EventId
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.errors import reading
from app.platform.postgres.pipeline import Row, Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

_COLUMNS: Final = """
    d.id, d.endpoint_id, d.event_id, d.type, d.subject, d.status, d.attempts, d.last_status, d.last_error,
    d.next_attempt_at, d.created_at, d.delivered_at, d.origin, d.round, d.occurred_at
"""
_OF_AN_ENDPOINT: Final = "d.bucket = %b::smallint AND d.endpoint_id = %b::uuid AND d.tenant_id = %b::uuid"
_NEWEST: Final = """
    AND (d.created_at, d.id) < (%b::timestamptz, %b::uuid) ORDER BY d.created_at DESC, d.id DESC LIMIT %b::bigint
"""
PAGE: Final = Statement(f"SELECT {_COLUMNS} FROM webhooks.deliveries d WHERE {_OF_AN_ENDPOINT} {_NEWEST}")
BY_STATUS: Final = Statement(
    f"SELECT {_COLUMNS} FROM webhooks.deliveries d WHERE {_OF_AN_ENDPOINT} AND d.status = %b::text {_NEWEST}"
)
ONE: Final = Statement(f"SELECT {_COLUMNS} FROM webhooks.deliveries d WHERE {_OF_AN_ENDPOINT} AND d.id = %b::uuid")
ATTEMPTS: Final = Statement("""
    SELECT a.round, a.attempt, a.started_at, a.took_ms, a.status, a.error FROM webhooks.attempts a
    WHERE a.bucket = %b::smallint AND a.endpoint_id = %b::uuid AND a.tenant_id = %b::uuid AND a.delivery_id = %b::uuid
    ORDER BY a.round, a.attempt
""")


class PostgresDeliveries:
    """Implements `Deliveries`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def page(
        self,
        tenant_id: TenantId,
        endpoint_id: EndpointId,
        status: DeliveryStatus | None,
        before: Place | None,
        limit: int,
    ) -> Sequence[Delivery]:
        """See `Deliveries.page`."""
        of, page = (bucket_of(endpoint_id), endpoint_id, tenant_id), (*(before or BEFORE_ALL), limit)
        call = (PAGE, (*of, *page)) if status is None else (BY_STATUS, (*of, status.value, *page))
        (rows,) = await self._rows.run(tenant_id, call)
        return [delivery_of(row) for row in rows]

    @reading
    async def story(
        self, tenant_id: TenantId, endpoint_id: EndpointId, delivery_id: DeliveryId
    ) -> tuple[Delivery, Sequence[Attempt]] | None:
        """See `Deliveries.story`."""
        key = bucket_of(endpoint_id), endpoint_id, tenant_id, delivery_id
        rows, attempts = await self._rows.run(tenant_id, (ONE, key), (ATTEMPTS, key))
        return (delivery_of(rows[0]), [Attempt(*row) for row in attempts]) if rows else None


def delivery_of(row: Row) -> Delivery:
    """The delivery in a row."""
    (
        id_, endpoint_id, event_id, kind, subject, status, attempts, last_status, last_error, next_attempt_at,
        created_at, delivered_at, origin, round_, occurred_at,
    ) = row  # fmt: skip
    return Delivery(
        id=DeliveryId(id_),
        endpoint_id=EndpointId(endpoint_id),
        event_id=EventId(event_id),
        type=kind,
        subject=subject,
        status=DeliveryStatus(status),
        attempts=attempts,
        last_status=last_status,
        last_error=last_error,
        next_attempt_at=next_attempt_at,
        created_at=created_at,
        delivered_at=delivered_at,
        origin=Origin(origin),
        round=round_,
        occurred_at=occurred_at,
    )
