"""What requests about webhooks are answered with, for instance."""

from typing import Any, Final

WEBHOOK_ID: Final = "0193a5b2-7c4e-7d31-8a1b-2c3d4e5f6071"
DELIVERY_ID: Final = "0193a5b2-7c4e-7d32-9b2c-3d4e5f607182"
AT: Final = "2026-01-31T12:00:00.000000Z"
SECRET: Final = "whsec_ERERERERERERERERERERERERERERERERERERERERERE="  # noqa: S105 -- of nobody
WEBHOOK: Final[dict[str, Any]] = {
    "webhook_id": WEBHOOK_ID,
    "url": "https://shop.example/hooks/strongbox",
    "types": ["payment.completed", "order.*"],
    "description": "The shop's bookkeeping",
    "status": "ACTIVE",
    "created_at": AT,
}
DELIVERY: Final[dict[str, Any]] = {
    "delivery_id": DELIVERY_ID,
    "event_id": "0193a5b2-7c4e-7d33-8c3d-4e5f60718293",
    "type": "payment.completed",
    "subject": "0193a5b2-7c4e-7d34-9d4e-5f6071829304",
    "status": "PENDING",
    "attempts": 1,
    "last_status": 503,
    "last_error": None,
    "next_attempt_at": "2026-01-31T12:00:05.000000Z",
    "created_at": AT,
    "delivered_at": None,
}
