"""A message on its way into the dead-letter queue."""

from datetime import UTC, datetime
from typing import Final

import structlog
from aiormq import spec
from aiormq.abc import AbstractChannel
from pamqp.common import FieldTable

from app.kernel.topology import Queue
from app.platform.messaging import received_events
from app.platform.messaging.worker import Delivery
from app.platform.rabbitmq.deliveries import Delivered

MOST: Final = 500
"""Characters of a reason."""

_log = structlog.get_logger(__name__)


async def bury(channel: AbstractChannel, queue: Queue, delivery: Delivery, reason: str) -> None:
    """Put the message into the dead-letter queue. It is confirmed there when this returns."""
    message: Delivered = delivery.message
    deliver, properties = message.details()
    headers: FieldTable = {name: value for name, value in (properties.headers or {}).items() if isinstance(value, str)}
    headers |= {
        "x-death-reason": reason[:MOST],
        "x-death-queue": queue.name,
        "x-death-exchange": deliver.exchange or "",
        "x-death-routing-key": deliver.routing_key or "",
        "x-death-attempts": delivery.attempts + delivery.vain,
        "x-death-at": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
    await channel.basic_publish(
        delivery.body,
        routing_key=queue.dead_letters,
        properties=spec.Basic.Properties(
            content_type=properties.content_type,
            message_id=properties.message_id,
            message_type=properties.message_type,
            delivery_mode=2,
            headers=headers,
        ),
        mandatory=True,
    )
    message_id = received_events.known_id(properties.message_id)
    _log.error("message_buried", message_id=message_id, queue=queue.dead_letters, reason=reason)
