"""Identifiers of webhooks."""

from typing import NewType
from uuid import UUID

EndpointId = NewType("EndpointId", UUID)
"""What the API calls a webhook."""
DeliveryId = NewType("DeliveryId", UUID)
