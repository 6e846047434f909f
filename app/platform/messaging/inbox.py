"""Effects that happen once: each event's id is committed in one transaction with what the event leads to."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection, sql

from app.kernel.topology import Queue
from app.platform.messaging.backoff import pause
from app.platform.messaging.faults import reason_of
from app.platform.messaging.inbox_database import Database, DatabaseAway
from app.platform.messaging.received_events import Event, event

Connection = AsyncConnection[Any]

Effect = Callable[[Connection, Sequence[Event]], Awaitable[None]]
"""What events lead to, in the transaction that the connection is in, which is committed when it returns.

It gets events that had no effect yet, in their order. Raises ConnectionError while it cannot work, and `Malformed`,
psycopg's IntegrityError or DataError for what is the fault of one of the events; anything else is a fault of its own.
"""

# In the order of the ids, so that two consumers never wait for each other. It tells the known ones, as there are few.
_ENTER: Final = """
WITH fresh AS (
    INSERT INTO {inbox} (event_id) SELECT id FROM unnest(%(ids)b::uuid[]) AS e(id) ORDER BY id
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_id
)
SELECT id FROM unnest(%(ids)b::uuid[]) AS e(id) WHERE id NOT IN (SELECT event_id FROM fresh)
"""
_CLEAN_UP: Final = """
DELETE FROM {inbox} WHERE event_id IN (
    SELECT event_id FROM {inbox} WHERE received_at < now() - make_interval(secs => %(keep_s)s)
    ORDER BY received_at LIMIT %(limit)s
)
"""
_CLEAN_UP_BATCH: Final = 1000
CLEAN_UP_EVERY_S: Final = 600.0

_log = structlog.get_logger(__name__)


class Inbox:
    """A table with the ids of events that had their effect. `table` is its name, with a schema's before it or without.

    CREATE TABLE … (event_id uuid PRIMARY KEY, received_at timestamptz NOT NULL DEFAULT now()), and an index on
    received_at for the clean-up. The consumer's role needs SELECT, INSERT and DELETE.
    """

    def __init__(self, table: str) -> None:
        name = sql.Identifier(*table.split("."))
        self._enter = sql.SQL(_ENTER).format(inbox=name)
        self._clean_up = sql.SQL(_CLEAN_UP).format(inbox=name)

    async def enter(self, connection: Connection, ids: Sequence[UUID]) -> set[UUID]:
        """Note the ids, in the connection's transaction; those that were there before."""
        cursor = await connection.execute(self._enter, {"ids": ids})
        return {known for (known,) in await cursor.fetchall()}

    async def clean_up(self, database: Database, keep_h: float) -> None:
        """Delete what is older than that, which has to be more than the outbox keeps what may be replayed.

        Raises:
            DatabaseAway: it cannot be done for now; some may be deleted.
        """
        arguments = {"keep_s": keep_h * 3600, "limit": _CLEAN_UP_BATCH}
        deleted = _CLEAN_UP_BATCH
        while deleted == _CLEAN_UP_BATCH:
            try:
                async with database.connection() as connection:
                    deleted = (await connection.execute(self._clean_up, arguments)).rowcount
            except psycopg.Error as error:  # a table of the user's refers to an id, or it may not be done
                raise DatabaseAway(reason_of(error)) from error


class Once:
    """Has the effect of a queue's events in a database, once for each event's id.

    Events of types that the queue is not bound to have none: a replay brings every type to a queue that is not of the
    contract, and a type that there was not yet when the effect was written may come one day.
    """

    def __init__(self, database: Database, queue: Queue, inbox: Inbox, effect: Effect) -> None:
        self._database = database
        self._queue = queue
        self._inbox = inbox
        self._effect = effect

    async def __call__(self, documents: Sequence[bytes]) -> None:
        """Have the effect of the documents' events, in their order.

        Raises:
            Malformed: one of the documents is not an event.
            DatabaseAway: nothing can be done for now.
        """
        found = [event(document) for document in documents]
        taken = {kind for kind in {one.type for one in found} if self._queue.takes(kind)}
        events: dict[UUID, Event] = {}
        for one in found:
            if one.type in taken:
                events.setdefault(one.id, one)
        if not events:
            return
        async with self._database.connection() as connection, connection.transaction():
            for known in await self._inbox.enter(connection, list(events)):
                del events[known]
            if events:
                await self._effect(connection, list(events.values()))


async def keep_clean(inbox: Inbox, database: Database, outbox_retention_h: float, stop: asyncio.Event) -> None:
    """Clean the inbox up now and then, until told to stop."""
    while not stop.is_set():
        try:
            await inbox.clean_up(database, remembered_h(outbox_retention_h))
        except DatabaseAway as error:
            _log.warning("inbox_not_cleaned_up", reason=str(error))
        await pause(CLEAN_UP_EVERY_S, stop)


def remembered_h(outbox_retention_h: float) -> float:
    """How long an inbox keeps the id of an event, at the least.

    A replay brings events of up to the outbox's retention; what waits in a queue meanwhile has as long again.
    """
    return 2 * outbox_retention_h + 24
