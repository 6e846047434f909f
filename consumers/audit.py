"""The audit consumer: every event once, in one hash chain without gaps."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from app.adapters.rabbitmq import topology
from consumers.audit_chain import chain_hash
from consumers.kit.database import Database, DatabaseAway
from consumers.kit.messages import Event, Malformed, event
from consumers.kit.process import Process

# One at a time from here on: positions have no gaps and the chain has no forks, whoever else consumes.
_LOCK_HEAD: Final = "SELECT position, hash, clock_timestamp() FROM audit.head FOR UPDATE"

# In a statement of its own, after the lock: it sees what the holder before has committed.
_KNOWN: Final = "SELECT event_id FROM audit.events WHERE event_id = ANY(%b::uuid[])"

_APPEND: Final = """
WITH appended AS (
    INSERT INTO audit.events
        (position, event_id, type, subject, sequence, occurred_at, received_at, payload, hash, previous_hash)
    SELECT position, event_id, type, subject, sequence, occurred_at, %(received_at)s, payload::json, hash,
           previous_hash
    FROM unnest(%(positions)b::bigint[], %(event_ids)b::uuid[], %(types)b::text[], %(subjects)b::uuid[],
                %(sequences)b::smallint[], %(occurred_at)b::timestamptz[], %(payloads)b::text[],
                %(hashes)b::bytea[], %(previous_hashes)b::bytea[])
        AS e(position, event_id, type, subject, sequence, occurred_at, payload, hash, previous_hash)
)
UPDATE audit.head SET position = %(position)s, hash = %(hash)b
"""


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
        async with self._database.connection() as connection, connection.transaction():
            cursor = await connection.execute(_LOCK_HEAD)
            row = await cursor.fetchone()
            if row is None:
                raise DatabaseAway("audit.head is empty")
            cursor = await connection.execute(_KNOWN, [list(events)])
            for (known,) in await cursor.fetchall():
                del events[known]
            if events:
                await connection.execute(_APPEND, _rows(row[0], row[1], row[2], list(events.values())))


async def work(process: Process) -> None:
    """Keep the events of the audit queue until told to stop."""
    async with process.database() as database:
        await process.feed(topology.AUDIT, Audit(database))


def _first_of_each(documents: Sequence[bytes]) -> dict[UUID, tuple[Event, str]]:
    events: dict[UUID, tuple[Event, str]] = {}
    for document in documents:
        found = event(document)
        try:
            events.setdefault(found.id, (found, document.decode()))
        except UnicodeDecodeError:
            raise Malformed("not UTF-8") from None
    return events


def _rows(position: int, head: bytes, received_at: datetime, events: Sequence[tuple[Event, str]]) -> dict[str, object]:
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
    return {
        "positions": list(range(position + 1, position + 1 + len(events))),
        "event_ids": [found.id for found, _ in events],
        "types": [found.type for found, _ in events],
        "subjects": [found.subject for found, _ in events],
        "sequences": [found.sequence for found, _ in events],
        "occurred_at": [found.time for found, _ in events],
        "received_at": received_at,
        "payloads": [payload for _, payload in events],
        "hashes": hashes[1:],
        "previous_hashes": hashes[:-1],
        "position": position + len(events),
        "hash": hashes[-1],
    }
