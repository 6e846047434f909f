"""The events of cashback as the world reads them."""

from typing import Final

from app.contexts.rewards.adapters.shapes import CASHBACK_SCHEMA, MINT_SCHEMA, CashbackData, MintData
from app.contexts.rewards.domain.events import Event, EventType
from app.platform.messaging import cloud_events
from app.platform.postgres.outbox_writer import NewEvent, OutboxWriter

OUTBOX: Final = OutboxWriter("rewards")

_PLACES: Final = 2**15 - 1
"""As many numbers has an outbox for the events of one entry; where they end it begins anew. What was sent is cleared
away long before."""


def document(event: Event) -> str:
    """The event's document, as JSON text."""
    is_request = event.type is EventType.MINT_REQUESTED
    return cloud_events.document(
        id=event.id,
        type=event.type.value,
        subject=event.entry.id,
        occurred_at=event.at,
        sequence=_place_of(event),
        schema=MINT_SCHEMA if is_request else CASHBACK_SCHEMA,
        data=_request_of(event) if is_request else _cashback_of(event),
        traceparent=event.traceparent,
        tenant_id=event.entry.tenant_id,
    )


def outbox_row(event: Event) -> NewEvent:
    """The event as `OUTBOX` takes it, for the transaction in which it happened."""
    entry = event.entry
    return NewEvent(
        entry.user_id,
        event.id,
        entry.id,
        _place_of(event),
        event.type.value,
        document(event),
        event.at,
        entry.tenant_id,
    )


def _place_of(event: Event) -> int:
    return (event.sequence - 1) % _PLACES + 1


def _request_of(event: Event) -> MintData:
    assert event.request_id is not None
    assert event.address is not None
    return MintData(event.request_id, event.entry.id, event.entry.user_id, event.address, str(event.amount))


def _cashback_of(event: Event) -> CashbackData:
    entry = event.entry
    return CashbackData(
        entry_id=entry.id,
        user_id=entry.user_id,
        amount=str(event.amount),
        rule_id=entry.rule_id,
        merchant=entry.merchant,
        reference=entry.reference,
        source=entry.source.value,
        refund_id=event.refund_id,
    )
