"""What the consumers' database has of one subject."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from app.platform.operations.actions import RecordedAction
from app.platform.operations.trail import AuditedEvent, Told
from app.platform.postgres.inspection import inspecting

LOOK_S: Final = 5.0

_AUDITED = """
    SELECT e.position, e.event_id, e.type, e.sequence, e.received_at, i.received_at
    FROM audit.events e
    LEFT JOIN metrics.inbox i ON i.event_id = e.event_id
    WHERE e.subject = %(subject)s
    ORDER BY e.position
"""

# Operators do few things: the table is walked.
_ACTIONS = """
    SELECT id, at, operator, action, details FROM audit.actions
    WHERE jsonb_exists_any(details->'messages', %(event_ids)s::text[])
        OR details->>'began_as' IN (
            SELECT id::text FROM audit.actions WHERE jsonb_exists_any(details->'messages', %(event_ids)s::text[]))
    ORDER BY id
"""


class PostgresTrail:
    """The consumers' database. It implements `Trail`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def told(self, subject: UUID, event_ids: Collection[UUID]) -> Told:
        """See `Trail.told`."""
        async with inspecting(self._url, LOOK_S) as trail:
            rows = await (await trail.execute(_AUDITED, {"subject": subject})).fetchall()
            events = [AuditedEvent(*row) for row in rows]
            ids = [str(event_id) for event_id in {*event_ids, *(event.event_id for event in events)}]
            rows = await (await trail.execute(_ACTIONS, {"event_ids": ids})).fetchall()
        return Told(events, [RecordedAction(*row) for row in rows])
