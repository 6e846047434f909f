"""What a dead message's properties tell: of our consumers' burials, and of the broker's own dead-lettering."""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from aiormq.abc import DeliveredMessage

from app.platform.messaging.dead_letter_ports import DeadLetter
from app.platform.rabbitmq.topology import DELIVERY_LIMIT

DEATH: Final = ("x-death", "x-first-death", "x-last-death")
COUNTED: Final = ("x-delivery-count", "x-acquired-count")
"""Beginnings of headers that tell of a message's death, and of how often it was taken."""


def letter_of(message: DeliveredMessage, queue: str) -> DeadLetter:
    """The message as a dead letter of the queue."""
    properties = message.header.properties
    headers = properties.headers or {}
    by_broker = _first(headers.get("x-death"))
    reason = headers.get("x-death-reason") or f"by the broker: {by_broker.get('reason', 'unknown')}"
    # Its `count` is that of such deaths, not of deliveries.
    limited = by_broker.get("reason") == "delivery_limit"
    attempts = headers.get("x-death-attempts", DELIVERY_LIMIT + 1 if limited else by_broker.get("count"))
    return DeadLetter(
        queue,
        _id(properties.message_id, message.body),
        _text(properties.message_type),
        _text(reason) or "",
        _time(headers.get("x-death-at") or by_broker.get("time")),
        attempts if isinstance(attempts, int) else None,
        {str(_text(name)): str(_text(value)) for name, value in headers.items()},
        message.body,
    )


def looks_at(message: DeliveredMessage) -> int:
    """How often the message was taken and given back."""
    count = (message.header.properties.headers or {}).get(COUNTED[0])
    return count if isinstance(count, int) else 0


def _id(message_id: str | None, body: bytes) -> str:
    """The event's id; another publisher's message may have anything for one, or none."""
    try:
        return str(UUID(message_id))
    except (TypeError, ValueError):
        return f"body-{sha256((message_id or '').encode() + body).hexdigest()[:16]}"


def _first(deaths: Any) -> Mapping[str, Any]:
    return deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else {}


def _text(value: object) -> str | None:
    """Text that is safe on a terminal."""
    return None if value is None else "".join(c if c.isprintable() else "·" for c in str(value))


def _time(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None
