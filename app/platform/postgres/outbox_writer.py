"""Events written into an outbox, in the transaction of what they tell of."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from app.platform.postgres.outbox import PARTITIONS
from app.platform.postgres.pipeline import Call, Statement


class NewEvent(NamedTuple):
    """An event to be published. Events of one owner are in one partition; those of one `subject` leave in their order.

    `document` is its CloudEvents document, as JSON text. `tenant_id` says for whom it happened, where there are
    several.
    """

    owner_id: UUID
    event_id: UUID
    subject: UUID
    sequence: int
    type: str
    document: str
    occurred_at: datetime
    tenant_id: UUID | None = None


# In order, so that ids follow the order of a subject's events.
_INSERT = """
    INSERT INTO {schema}.outbox_events
        (user_id, event_id, subject, sequence, type, payload, created_at, tenant_id, partition)
    SELECT r.user_id, r.event_id, r.subject, r.sequence, r.type, r.payload::json, r.created_at, r.tenant_id, r.partition
    FROM unnest(%b::uuid[], %b::uuid[], %b::uuid[], %b::smallint[], %b::text[], %b::text[], %b::timestamptz[],
                %b::uuid[], %b::smallint[]) WITH ORDINALITY
        AS r (user_id, event_id, subject, sequence, type, payload, created_at, tenant_id, partition, nth)
    ORDER BY r.nth
"""


class OutboxWriter:
    """Writes into the outbox of a schema."""

    def __init__(self, schema: str) -> None:
        self._insert = Statement(_INSERT.format(schema=schema))

    def insert(self, events: Sequence[NewEvent]) -> Call:
        """The statement that writes the events, with its values, for the caller's transaction. There has to be one."""
        columns = list(zip(*events, strict=True))
        return self._insert, [*columns, [event.owner_id.int % PARTITIONS for event in events]]
