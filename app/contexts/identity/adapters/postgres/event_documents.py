"""What happens to users, as the world reads it: nothing of it says who somebody is but the address they sign with."""

from typing import Final
from uuid import UUID

from msgspec import Struct

from app.contexts.identity.domain.account import Event
from app.platform.messaging import cloud_events
from app.platform.postgres.outbox_writer import NewEvent

USER_SCHEMA: Final = "urn:strongbox:schema:user:1"


class UserData(Struct, frozen=True):
    """The data of each of the events."""

    user_id: UUID
    tenant_id: UUID
    wallet_address: str | None


def document(event: Event) -> str:
    """The event's document, as JSON text."""
    return cloud_events.document(
        id=event.id,
        type=event.type.value,
        subject=event.user_id,
        occurred_at=event.occurred_at,
        sequence=event.sequence,
        schema=USER_SCHEMA,
        data=UserData(event.user_id, event.tenant_id, event.wallet_address),
    )


def outbox_row(event: Event) -> NewEvent:
    """The event as it is put into the outbox."""
    return NewEvent(
        event.user_id,
        event.id,
        event.user_id,
        event.sequence,
        event.type.value,
        document(event),
        event.occurred_at,
        event.tenant_id,
    )
