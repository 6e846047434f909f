"""The exchange of what houses are told of their own business: several contexts that do not know each other feed it."""

from typing import Final

from app.kernel.topology import Exchange, Queue

BUSINESS_EVENTS: Final = Exchange(
    "business.events", (Queue("audit.queue", "audit.dlq", ("reconciliation.*", "webhook.*")),)
)
"""Where reconciliations and webhooks publish their events, and which queue has to have them."""
