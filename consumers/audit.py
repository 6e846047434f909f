"""The audit consumer: every event once, in one hash chain without gaps."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import pq

from app.contexts.payments.public import EVENTS
from app.platform.messaging.inbox_database import Database, DatabaseAway
from app.platform.messaging.received_events import Event, Malformed, event
from app.platform.postgres.pipeline import Statement, run
from consumers.audit_chain import chain_hash
from consumers.kit.process import Process

QUEUE: Final = EVENTS.queue("audit.queue")

# One at a time from here on: positions have no gaps and the chain has no forks, whoever else consumes.
_LOCK_HEAD: Final = Statement("SELECT position, hash, clock_timestamp() FROM audit.head FOR UPDATE")

# In a statement of its own, after the lock: it sees what the holder before has committed.
_KNOWN: Final = Statement("SELECT event_id FROM audit.events WHERE event_id = ANY(%b::uuid[])")

_APPEND: Final = Statement("""
    WITH appended AS (
        INSERT INTO audit.events
            (received_at, position, event_id, type, subject, sequence, occurred_at, payload, hash, previous_hash)
        SELECT %b::timestamptz, position, event_id, type, subject, sequence, occurred_at, payload::json, hash,
               previous_hash
        FROM unnest(%b::bigint[], %b::uuid[], %b::text[], %b::uuid[], %b::smallint[], %b::timestamptz[], %b::text[],
                    %b::bytea[], %b::bytea[])
            AS e(position, event_id, type, subject, sequence, occurred_at, payload, hash, previous_hash)
    )
    UPDATE audit.head SET position = %b::bigint, hash = %b::bytea
""")

_BEGIN: Final = Statement("BEGIN")
_COMMIT: Final = Statement("COMMIT")


class Audit:
    """Appends events to the audit log of a database; events that it holds already are left out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, documents: Sequence[bytes]) -> None:
        """Append the documents' events in their order.

        Raises:
            Malformed: one of the documents is not an event.
            DatabaseAway: nothing can be appended for now.
        """
        events = _first_of_each(documents)
        async with self._database.connection() as connection:
            try:
                # Two round trips, each statement with a view of its own: there are some dozen events to share them.
                _, heads, known = await run(connection, [(_BEGIN, ()), (_LOCK_HEAD, ()), (_KNOWN, [[*events]])])
                if not heads:
                    raise DatabaseAway("audit.head is empty")
                for (event_id,) in known:
                    del events[event_id]
                position, head, now = heads[0]
                appended = [(_APPEND, _values(position, head, now, [*events.values()]))] if events else []
                await run(connection, [*appended, (_COMMIT, ())])
            finally:
                if not connection.closed and connection.pgconn.transaction_status != pq.TransactionStatus.IDLE:
                    await connection.rollback()


async def work(process: Process) -> None:
    """Keep the events of the audit queue until told to stop."""
    async with process.database() as database:
        await process.feed((EVENTS,), QUEUE, Audit(database))


def _first_of_each(documents: Sequence[bytes]) -> dict[UUID, tuple[Event, str]]:
    events: dict[UUID, tuple[Event, str]] = {}
    for document in documents:
        found = event(document)
        try:
            events.setdefault(found.id, (found, document.decode()))
        except UnicodeDecodeError:
            raise Malformed("not UTF-8") from None
    return events


def _values(position: int, head: bytes, received_at: datetime, events: Sequence[tuple[Event, str]]) -> Sequence[object]:
    """What is appended behind that position, whose hash is the head."""
    hashes = [head]
    for number, (found, payload) in enumerate(events, start=position + 1):
        hashes.append(
            chain_hash(
                hashes[-1],
                number,
                found.id,
                found.type,
                found.subject,
                found.sequence,
                found.time,
                received_at,
                payload.encode(),
            )
        )
    return (
        received_at,
        range(position + 1, position + 1 + len(events)),
        [found.id for found, _ in events],
        [found.type for found, _ in events],
        [found.subject for found, _ in events],
        [found.sequence for found, _ in events],
        [found.time for found, _ in events],
        [payload for _, payload in events],
        hashes[1:],
        hashes[:-1],
        position + len(events),
        hashes[-1],
    )
