"""Endpoints that events are sent to. What arrives at one is read by `strongbox_client.verify_webhook`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from strongbox_client.operation import Resource, W, listing, operation
from strongbox_client.values import UNSET, UnsetType

DeliveryStatus = Literal["PENDING", "DELIVERED", "FAILED"]


class Webhook(Struct, frozen=True, kw_only=True):
    """An endpoint: what is sent where."""

    webhook_id: UUID
    url: str
    types: list[str]
    description: str | None
    status: Literal["ACTIVE", "DISABLED"]
    created_at: datetime


class NewWebhook(Webhook, frozen=True, kw_only=True):
    """One just added. Its secret is shown this once."""

    secret: str


class Delivery(Struct, frozen=True):
    """An event on its way to an endpoint."""

    delivery_id: UUID
    event_id: UUID
    type: str
    subject: str
    status: DeliveryStatus
    attempts: int
    last_status: int | None
    last_error: str | None
    next_attempt_at: datetime | None
    created_at: datetime
    delivered_at: datetime | None


class Webhooks(Resource[W]):
    """Endpoints of the tenant: for admins, and machines with `webhooks:manage`."""

    @operation("POST", "/v1/webhooks")
    def add(self, *, url: str, types: Sequence[str], description: str | None = None) -> NewWebhook:
        """Have events of these types (`payment.completed`, `order.*`, `*`) sent there.

        Raises:
            TooMany: there are twenty.
        """

    @listing("/v1/webhooks", "webhooks")
    def list(self, *, limit: int | None = None, cursor: str | None = None) -> Webhook:
        """All of them."""

    @operation("GET", "/v1/webhooks/{webhook_id}")
    def get(self, webhook_id: UUID | str) -> Webhook:
        """One of them."""

    @operation("PATCH", "/v1/webhooks/{webhook_id}", repeats=True)
    def change(
        self,
        webhook_id: UUID | str,
        *,
        url: str | UnsetType = UNSET,
        types: Sequence[str] | UnsetType = UNSET,
        description: str | UnsetType | None = UNSET,
        status: Literal["ACTIVE", "DISABLED"] | UnsetType = UNSET,
    ) -> Webhook:
        """Change one; what is left out stays."""

    @operation("DELETE", "/v1/webhooks/{webhook_id}")
    def remove(self, webhook_id: UUID | str) -> None:
        """Remove one, with what is on its way to it."""

    @operation("POST", "/v1/webhooks/{webhook_id}/rotate", "secret")
    def rotate(self, webhook_id: UUID | str) -> str:
        """A new secret, shown this once. For a day the last one signs as well."""

    @operation("POST", "/v1/webhooks/{webhook_id}/test", "delivery_id")
    def test(self, webhook_id: UUID | str) -> UUID:
        """Have a `webhook.test` sent; its delivery.

        Raises:
            WebhookDisabled: to one that is, nothing is sent.
        """

    @listing("/v1/webhooks/{webhook_id}/deliveries", "deliveries")
    def deliveries(
        self,
        webhook_id: UUID | str,
        *,
        status: DeliveryStatus | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Delivery:
        """What was, and is to be, sent there."""

    @operation("POST", "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver", "delivery_id", repeats=True)
    def redeliver(self, webhook_id: UUID | str, delivery_id: UUID | str) -> UUID:
        """Have an event sent again; its delivery.

        Raises:
            WebhookDisabled: to one that is, nothing is sent.
        """

    @operation("POST", "/v1/webhooks/{webhook_id}/replay", "count", repeats=True)
    def replay(self, webhook_id: UUID | str, *, from_: datetime, to: datetime) -> int:
        """Have all events of a time sent again; how many.

        Raises:
            WebhookDisabled: to one that is, nothing is sent.
        """
