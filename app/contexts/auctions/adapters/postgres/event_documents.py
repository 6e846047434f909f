"""The events of auctions as the world reads them, and as watchers are told of them."""

from collections.abc import Sequence
from typing import Final

from msgspec import json

from app.contexts.auctions.adapters.http.views import auction_view
from app.contexts.auctions.domain.events import Event
from app.platform.messaging import cloud_events
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.outbox_writer import NewEvent, OutboxWriter
from app.platform.postgres.pipeline import Call, Statement, columns

AUCTION_SCHEMA: Final = "urn:strongbox:schema:auction:1"
OUTBOX: Final = OutboxWriter("auctions")

_INSERT: Final = Statement("""
    INSERT INTO auctions.events (bucket, tenant_id, auction_id, event_id, type, document, created_at)
    SELECT r.bucket, r.tenant_id, r.auction_id, r.event_id, r.type, r.document::json, r.created_at
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::bigint[], %b::text[], %b::text[], %b::timestamptz[])
        AS r (bucket, tenant_id, auction_id, event_id, type, document, created_at)
""")
_encode = json.Encoder().encode


def insert(events: Sequence[Event]) -> list[Call]:
    """The statements that write the events, of which there has to be one: for watchers, and for the world."""
    return [(_INSERT, columns(list(map(_row, events)))), OUTBOX.insert(list(map(_outbox_row, events)))]


def seen(event: Event) -> str:
    """What watchers are told, as JSON text: the auction as everybody may see it."""
    return _encode(auction_view(event.auction, event.occurred_at)).decode()


def document(event: Event) -> str:
    """The event's document, as JSON text, with the same in it."""
    auction = event.auction
    return cloud_events.document(
        id=event.id,
        type=event.type.value,
        subject=auction.id,
        occurred_at=event.occurred_at,
        sequence=auction.last_event_id,
        schema=AUCTION_SCHEMA,
        data=auction_view(auction, event.occurred_at),
        traceparent=event.traceparent,
        tenant_id=auction.tenant_id,
    )


def _row(event: Event) -> tuple[object, ...]:
    auction = event.auction
    return (
        bucket_of(auction.id), auction.tenant_id, auction.id, auction.last_event_id, event.type.word, seen(event),
        event.occurred_at,
    )  # fmt: skip


def _outbox_row(event: Event) -> NewEvent:
    auction = event.auction
    return NewEvent(
        auction.id, event.id, auction.id, auction.last_event_id, event.type.value, document(event), event.occurred_at,
        auction.tenant_id,
    )  # fmt: skip
