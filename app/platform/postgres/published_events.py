"""Events that were published before: those that an outbox still has, and those in the audit trail."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import psycopg
from psycopg import AsyncConnection

from app.kernel.errors import Unavailable
from app.platform.messaging.replay import PastEvent
from app.platform.postgres.inspection import why
from app.platform.postgres.pipeline import Row

_ROWS_AT_A_TIME = 500

# The index by sent_at finds them: nothing is sent before it occurred, but for two servers' clocks. What is not sent yet
# is the relay's.
_IN_AN_OUTBOX = """
    SELECT created_at, subject, sequence, event_id, type, payload FROM {schema}.outbox_events
    WHERE sent_at >= %(since)s - interval '1 min' AND created_at >= %(since)s AND created_at < %(until)s
"""

# The trail has no index by time: it is kept for ever, and replayed hardly ever.
_IN_THE_TRAIL = """
    FROM audit.events
    WHERE occurred_at >= %(since)s AND occurred_at < %(until)s
"""
_TRAIL = f"""
    SELECT occurred_at, subject, sequence, event_id, type, payload::text {_IN_THE_TRAIL}
    ORDER BY occurred_at, subject, sequence
"""


class PostgresPast:
    """The events of one snapshot, streamed: memory does not grow with them. It implements `Past`."""

    def __init__(self, connection: AsyncConnection[Row], count: str, events: str) -> None:
        self._connection = connection
        self._count = count
        self._events = events

    async def count(self, since: datetime, until: datetime) -> int:
        """See `Past.count`."""
        try:
            cursor = await self._connection.execute(f"SELECT count(*) {self._count}", {"since": since, "until": until})
            ((count,),) = await cursor.fetchall()
        except psycopg.Error as error:
            raise Unavailable(why(error)) from error
        assert isinstance(count, int)
        return count

    async def events(self, since: datetime, until: datetime) -> AsyncIterator[PastEvent]:
        """See `Past.events`."""
        known = {"since": since, "until": until}
        try:
            async with self._connection.cursor() as cursor:
                async for row in cursor.stream(self._events, known, size=_ROWS_AT_A_TIME):
                    occurred_at, subject, sequence, event_id, kind, payload = row
                    yield PastEvent(occurred_at, subject, sequence, event_id, kind, payload.encode())
        except psycopg.Error as error:
            raise Unavailable(why(error)) from error


def past_of_outboxes(connection: AsyncConnection[Row], schemas: Sequence[str]) -> PostgresPast:
    """What the outboxes of these schemas have and was sent, over one session however many they are."""
    all_of_them = " UNION ALL ".join(_IN_AN_OUTBOX.format(schema=schema) for schema in schemas)
    sent = f"FROM ({all_of_them}) AS sent"
    events = "SELECT created_at, subject, sequence, event_id, type, payload::text"
    return PostgresPast(connection, sent, f"{events} {sent} ORDER BY created_at, subject, sequence")


def past_of_the_trail(connection: AsyncConnection[Row]) -> PostgresPast:
    """What the audit trail has."""
    return PostgresPast(connection, _IN_THE_TRAIL, _TRAIL)


async def clock_of(connection: AsyncConnection[Row]) -> datetime:
    """What the database's clock says."""
    ((now,),) = await (await connection.execute("SELECT clock_timestamp()")).fetchall()
    assert isinstance(now, datetime)
    return now
