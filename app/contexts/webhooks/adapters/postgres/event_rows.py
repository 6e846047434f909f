"""Rows of events: what was heard, and what may be asked for again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.contexts.webhooks.domain.endpoint import EVERYTHING
from app.contexts.webhooks.domain.events import Arrived
from app.contexts.webhooks.domain.ids import EndpointId
from app.kernel.ids import EventId
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.pipeline import Call, Row, Statement, columns

# In the order of their keys, so that two who hear the same never wait for each other.
ENTER: Final = Statement("""
    INSERT INTO webhooks.events (bucket, tenant_id, event_id, type, subject, sequence, occurred_at, only_for, document)
    SELECT r.bucket, %b::uuid, r.event_id, r.type, r.subject, r.sequence, r.occurred_at, %b::uuid, r.document
    FROM unnest(%b::smallint[], %b::uuid[], %b::text[], %b::uuid[], %b::smallint[], %b::timestamptz[], %b::bytea[])
        AS r (bucket, event_id, type, subject, sequence, occurred_at, document)
    ORDER BY r.bucket, r.event_id
    ON CONFLICT (bucket, event_id) DO NOTHING
    RETURNING event_id
""")
DOCUMENTS: Final = Statement("""
    SELECT e.event_id, e.document FROM webhooks.events e
    JOIN unnest(%b::smallint[], %b::uuid[]) AS r (bucket, event_id)
        ON e.bucket = r.bucket AND e.event_id = r.event_id AND r.bucket BETWEEN 0 AND 15
    WHERE e.tenant_id = %b::uuid
""")
# The page is of events, whatever their type: however few are asked for it ends.
PAGE: Final = Statement("""
    SELECT e.event_id, e.type, e.subject, e.sequence, e.occurred_at,
        e.only_for IS NULL
            AND (%b::boolean OR e.type = ANY (%b::text[]) OR split_part(e.type, '.', 1) = ANY (%b::text[]))
    FROM (
        SELECT * FROM webhooks.events e
        WHERE e.tenant_id = %b::uuid AND (e.occurred_at, e.event_id) > (%b::timestamptz, %b::uuid)
            AND e.occurred_at < %b::timestamptz
        ORDER BY e.occurred_at, e.event_id LIMIT %b::bigint
    ) e
    ORDER BY e.occurred_at, e.event_id
""")
JOIN_HOUSES: Final = Statement("INSERT INTO webhooks.houses (tenant) VALUES (%b::uuid) ON CONFLICT (tenant) DO NOTHING")


def enter(tenant_id: TenantId, events: Sequence[Arrived], only_for: EndpointId | None = None) -> Call:
    """The statement that keeps events; a row for each that is new."""
    rows = [(bucket_of(e.id), e.id, e.type, e.subject, e.sequence, e.at, e.body) for e in events]
    return ENTER, (tenant_id, only_for, *columns(rows))


def documents(tenant_id: TenantId, events: Sequence[EventId]) -> Call:
    """The statement that reads what events were published as."""
    return DOCUMENTS, ([bucket_of(one) for one in events], list(events), tenant_id)


def page(
    tenant_id: TenantId, types: Sequence[str], behind: tuple[datetime, EventId], until: datetime, limit: int
) -> Call:
    """The statement that reads the next events behind a place; `asked_for` reads its rows."""
    words = [one.removesuffix(".*") for one in types if one.endswith(".*")]
    return PAGE, (EVERYTHING in types, list(types), words, tenant_id, *behind, until, limit)


def asked_for(tenant_id: TenantId, row: Row) -> Arrived | None:
    """The event in a row, without its document, if it is of the types that are asked for."""
    event_id, kind, subject, sequence, at, is_asked_for = row
    return Arrived(EventId(event_id), tenant_id, kind, subject, sequence, at, b"") if is_asked_for else None
