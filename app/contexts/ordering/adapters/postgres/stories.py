"""What the database has of one order."""

from hashlib import sha256
from typing import Final

from app.contexts.ordering.adapters.postgres.checkout_rows import CHECKOUT_COLUMNS, checkout_of
from app.contexts.ordering.adapters.postgres.order_rows import ORDER_COLUMNS, order_of
from app.contexts.ordering.application.story_records import BookedOrder, KeyRecord
from app.contexts.ordering.domain.ids import OrderId
from app.kernel.principal import TenantId
from app.platform.operations.trail import WrittenEvent
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.inspection import found, inspecting, see_tenant
from app.platform.postgres.pipeline import Row

LOOK_S: Final = 5.0

ORDER: Final = f"""
    SELECT {ORDER_COLUMNS}, clock_timestamp() FROM ordering.orders o
    WHERE o.tenant_id = %(tenant_id)s AND o.id = %(id)s
"""
CHECKOUT: Final = f"""
    SELECT {CHECKOUT_COLUMNS} FROM ordering.checkouts c
    WHERE c.bucket = %(bucket)s AND c.tenant_id = %(tenant_id)s AND c.user_id = %(buyer_id)s AND c.id = %(checkout_id)s
"""
KEY: Final = """
    SELECT k.key, k.finalized_at, k.response_status FROM v1_idempotency_keys k
    WHERE k.user_id = %(buyer_id)s AND k.key = %(key)s AND k.made_id = %(checkout_id)s
"""
EVENTS: Final = """
    SELECT event_id, type, sequence, created_at, sent_at, attempts, retry_at, last_error
    FROM ordering.outbox_events
    WHERE subject = %(id)s
    ORDER BY sequence
"""


class PostgresOrderStories:
    """Implements `StoryRecords`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def order(self, tenant_id: TenantId, order_id: OrderId) -> BookedOrder | None:
        """See `StoryRecords.order`."""
        known: dict[str, object] = {"tenant_id": tenant_id, "id": order_id}
        async with inspecting(self._url, LOOK_S) as session:
            await see_tenant(session, tenant_id)
            rows = await found(session, ORDER, known)
            if not rows:
                return None
            order = order_of(rows[0][:-1])
            known |= {"buyer_id": order.buyer_id, "checkout_id": order.checkout_id, "bucket": bucket_of(order.buyer_id)}
            checkout = checkout_of((await found(session, CHECKOUT, known))[0])
            keys = await found(session, KEY, known | {"key": checkout.key}) if checkout.key is not None else []
            events = await found(session, EVENTS, known)
        return BookedOrder(
            order=order,
            checkout=checkout,
            key=_key(keys[0]) if keys else None,
            events=[WrittenEvent(*row) for row in events],
            now=rows[0][-1],
        )


def _key(row: Row) -> KeyRecord:
    key, finalized_at, status = row
    return KeyRecord(sha256(key.encode()).hexdigest()[:16], finalized_at, status)
