"""What is told of endpoints."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from app.contexts.webhooks.domain.endpoint import Reason
from app.contexts.webhooks.domain.ids import EndpointId
from app.kernel.ids import EventId
from app.kernel.principal import TenantId

DISABLED: Final = "webhook.disabled"
TEST: Final = "webhook.test"


@dataclass(frozen=True, slots=True)
class Disabled:
    """The service has disabled an endpoint. `sequence` is its place among the events of that endpoint, from 1."""

    id: EventId
    endpoint_id: EndpointId
    tenant_id: TenantId
    reason: Reason
    at: datetime
    sequence: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event as it came, with whose it is. `body` is its document, as it was published."""

    id: EventId
    tenant_id: TenantId
    type: str
    subject: UUID
    sequence: int
    at: datetime
    body: bytes
