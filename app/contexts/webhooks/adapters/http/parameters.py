"""Parameters of requests about webhooks, and who may send them."""

from typing import Final

from app.contexts.webhooks.adapters.http.examples import DELIVERY_ID, WEBHOOK_ID
from app.contexts.webhooks.domain.delivery import DeliveryStatus
from app.contexts.webhooks.domain.ids import DeliveryId, EndpointId
from app.kernel.principal import Role
from app.platform.http.errors import validation
from app.platform.http.operations import Access, Parameter
from app.platform.http.parameters import read_uuid

TAG: Final = "webhooks"
SCOPE: Final = "webhooks:manage"
MAY: Final = Access(frozenset({Role.ADMIN}), SCOPE)
"""Admins, and machines that are allowed to."""
STATUS_RULE: Final = "must be PENDING, DELIVERED or FAILED"


def _read_status(text: str | None) -> DeliveryStatus | None:
    try:
        return None if text is None else DeliveryStatus(text)
    except ValueError:
        raise validation({"status": STATUS_RULE}) from None


WEBHOOK: Parameter[EndpointId] = Parameter(
    name="id",
    key="webhook",
    where="path",
    read=lambda text: EndpointId(read_uuid("id", text)),
    required=True,
    description="The webhook, in any spelling of a UUID.",
    schema={"type": "string", "format": "uuid"},
    example=WEBHOOK_ID,
)
DELIVERY: Parameter[DeliveryId] = Parameter(
    name="delivery_id",
    key="webhook_delivery",
    where="path",
    read=lambda text: DeliveryId(read_uuid("delivery_id", text)),
    required=True,
    description="The delivery, in any spelling of a UUID.",
    schema={"type": "string", "format": "uuid"},
    example=DELIVERY_ID,
)
STATUS: Parameter[DeliveryStatus | None] = Parameter(
    name="status",
    key="delivery_status",
    where="query",
    read=_read_status,
    description="Only those that are so far.",
    schema={"type": "string", "enum": [status.value for status in DeliveryStatus]},
    example="FAILED",
)
