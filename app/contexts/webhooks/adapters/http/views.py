"""Webhooks and deliveries, as they are shown."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from app.contexts.webhooks.domain.delivery import Delivery
from app.contexts.webhooks.domain.endpoint import Endpoint
from app.platform.http.shapes import Time, timestamp

Secret = Annotated[str, Meta(description="`whsec_` and 32 bytes in base64. It is shown this once.", pattern="^whsec_")]


class WebhookView(Struct, frozen=True):
    """Where events are sent to, and which. One that is DISABLED gets none; what is due to it waits."""

    webhook_id: UUID
    url: str
    types: list[str]
    description: str | None
    status: Literal["ACTIVE", "DISABLED"]
    created_at: Time


class NewWebhookView(Struct, frozen=True):
    """The same, with the secret that signs what is sent."""

    webhook_id: UUID
    url: str
    types: list[str]
    description: str | None
    status: Literal["ACTIVE", "DISABLED"]
    secret: Secret
    created_at: Time


class WebhooksView(Struct, frozen=True):
    """A page of webhooks, newest first. `next_cursor` asks for the next page."""

    webhooks: list[WebhookView]
    next_cursor: str | None


class SecretView(Struct, frozen=True):
    """What signs from now on. For 24 hours the secret before signs as well."""

    secret: Secret


class DeliveryIdView(Struct, frozen=True):
    """What is to be sent."""

    delivery_id: UUID


class ReplayView(Struct, frozen=True):
    """How many deliveries wait to be sent."""

    count: int


class DeliveryView(Struct, frozen=True):
    """An event on its way to a webhook. `last_status` is what the last attempt was answered with, `last_error` why it
    came to nothing without an answer."""

    delivery_id: UUID
    event_id: UUID
    type: str
    subject: UUID
    status: Literal["PENDING", "DELIVERED", "FAILED"]
    attempts: int
    last_status: int | None
    last_error: Literal["timeout", "connection", "tls", "name", "address", "protocol", "secret", "lost"] | None
    next_attempt_at: Time | None
    created_at: Time
    delivered_at: Time | None


class DeliveriesView(Struct, frozen=True):
    """A page of deliveries, newest first. `next_cursor` asks for the next page."""

    deliveries: list[DeliveryView]
    next_cursor: str | None


def webhook_view(e: Endpoint) -> WebhookView:
    """The endpoint as it is shown."""
    return WebhookView(e.id, e.url, list(e.types), e.description, e.status.value, timestamp(e.created_at))


def new_webhook_view(e: Endpoint, secret: str) -> NewWebhookView:
    """The endpoint as it is shown once."""
    return NewWebhookView(e.id, e.url, list(e.types), e.description, e.status.value, secret, timestamp(e.created_at))


def delivery_view(d: Delivery) -> DeliveryView:
    """The delivery as it is shown."""
    return DeliveryView(
        delivery_id=d.id,
        event_id=d.event_id,
        type=d.type,
        subject=d.subject,
        status=d.status.value,
        attempts=d.attempts,
        last_status=d.last_status,
        last_error=d.last_error,  # type: ignore[arg-type] # one of them, by who writes it
        next_attempt_at=None if d.next_attempt_at is None else timestamp(d.next_attempt_at),
        created_at=timestamp(d.created_at),
        delivered_at=None if d.delivered_at is None else timestamp(d.delivered_at),
    )
