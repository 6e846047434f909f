"""An outbox in PostgreSQL, as relays see it. Every statement is a transaction of its own.

Each context that publishes has one in its own schema. All are of one shape (see `outbox_tables`), and what is done with
one stands here once, with the tables' bare names: `_in` says whose they are.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection

from app.kernel.errors import Unavailable
from app.platform.messaging.ports import (
    CLAIMED,
    COUNTED,
    LONGEST_RETRY_S,
    Backlog,
    Confirmed,
    Leases,
    OutboxMessage,
    Retry,
)
from app.platform.postgres.pipeline import Row, Statement
from app.platform.postgres.plans import Plans
from app.platform.postgres.pool import Pool, session
from app.platform.postgres.sessions import reason

PARTITIONS: Final = 16
"""Of each outbox. An owner's events are in one of them."""

# A lease that ends later than one would that began now was made before the clock went back: it is over. "Now" is told
# by the clock: another relay's may have begun after this statement did.
IS_LEASED: Final = "(leased_until > now() AND leased_until <= clock_timestamp() + make_interval(secs => %(ttl_s)s))"
"""Whether a partition is leased, for leases of `ttl_s` seconds."""

# A row with our name whose lease has ended is still ours: nobody took it. Unless we hold it, a row with our name whose
# lease has not ended is one that we asked for (see _ASK): its lease is the one of its holder of before.
_LEASE: Final = f"""
WITH others AS (
    SELECT count(DISTINCT owner) AS count FROM outbox_leases
    WHERE owner <> %(owner)s AND {IS_LEASED}
), share AS (
    SELECT ceil(%(partitions)s::numeric / (others.count + 1))::int AS size FROM others
), renewed AS (
    UPDATE outbox_leases SET leased_until = now() + make_interval(secs => %(ttl_s)s)
    WHERE owner = %(owner)s AND (partition = ANY(%(held)s::smallint[]) OR NOT {IS_LEASED})
    RETURNING partition, epoch
), taken AS (
    UPDATE outbox_leases AS l
    SET owner = %(owner)s, epoch = l.epoch + 1, leased_until = now() + make_interval(secs => %(ttl_s)s)
    FROM (
        SELECT partition FROM outbox_leases
        WHERE owner IS NULL OR (owner <> %(owner)s AND NOT {IS_LEASED})
        ORDER BY partition
        LIMIT (SELECT greatest(size - (SELECT count(*) FROM outbox_leases WHERE owner = %(owner)s), 0) FROM share)
        FOR UPDATE SKIP LOCKED
    ) AS free
    WHERE l.partition = free.partition
    RETURNING l.partition, l.epoch
)
SELECT size, array_agg(held.partition), array_agg(held.epoch)
FROM share LEFT JOIN (SELECT * FROM renewed UNION ALL SELECT * FROM taken) AS held ON true
GROUP BY size
"""

# A relay that found nothing free is not seen by the others. It puts its name on one partition of whoever holds the
# most, and leaves the lease as it is: the holder loses that one at its next renewal, we hold it when the lease has
# ended, and everybody counts us from now on and hands over what is beyond the new share.
_ASK: Final = f"""
UPDATE outbox_leases SET owner = %(owner)s, epoch = epoch + 1
WHERE partition = (
    SELECT max(partition) FROM outbox_leases WHERE {IS_LEASED}
    GROUP BY owner HAVING count(*) > 1 ORDER BY count(*) DESC LIMIT 1
) AND NOT EXISTS (SELECT FROM outbox_leases WHERE owner = %(owner)s)
"""

_RELEASE: Final = """
UPDATE outbox_leases SET owner = NULL, leased_until = NULL
WHERE owner = %(owner)s AND partition = ANY(%(partitions)s::smallint[])
"""

# One walk along the partial index for each partition, so that the cost is that of the rows found, whatever the table
# holds beside them. The failing ones are few and have an index of their own. The limit in the text is one that the
# planner can count on: for any limit it expects a share of the table.
_CLAIM: Final = f"""
WITH waiting AS MATERIALIZED (
    SELECT user_id, subject FROM outbox_events
    WHERE partition = ANY(%b::smallint[]) AND sent_at IS NULL AND attempts > 0
        AND retry_at > now() AND retry_at <= clock_timestamp() + make_interval(secs => {LONGEST_RETRY_S})
)
SELECT e.user_id, e.id, e.event_id, e.subject, e.type, e.payload, e.partition, e.attempts, e.tenant_id
FROM unnest(%b::smallint[]) AS p(partition)
CROSS JOIN LATERAL (
    SELECT user_id, id, event_id, subject, type, payload::text, partition, attempts, tenant_id FROM outbox_events
    WHERE partition = p.partition AND sent_at IS NULL
        AND (user_id, subject) NOT IN (SELECT user_id, subject FROM waiting)
    ORDER BY id LIMIT {CLAIMED}
) AS e
LIMIT %b::bigint
"""

# Fenced: what belongs to a partition that has changed hands meanwhile stays unsent, for its new holder to publish. Each
# row is looked up by itself. Joined, the planner may walk all unsent rows for each of them: if none was unsent when it
# last counted it thinks that there is one, and with a backlog of 20,000 that took longer than a statement may.
_RECORD: Final = """
WITH recorded AS (
    UPDATE outbox_events AS e
    SET sent_at = CASE WHEN r.retry_in_s IS NULL THEN now() END,
        attempts = e.attempts + CASE WHEN r.retry_in_s IS NULL THEN 0 ELSE 1 END,
        retry_at = now() + make_interval(secs => r.retry_in_s),
        last_error = coalesce(r.error, e.last_error)
    FROM unnest(%b::uuid[], %b::bigint[], %b::smallint[], %b::text[], %b::float8[])
            AS r(user_id, id, partition, error, retry_in_s),
        unnest(%b::smallint[], %b::bigint[]) AS mine(partition, epoch), outbox_leases AS l,
        LATERAL (
            SELECT ctid FROM outbox_events
            WHERE partition = r.partition AND id = r.id AND user_id = r.user_id AND sent_at IS NULL
            LIMIT 1
        ) AS unsent
    WHERE mine.partition = r.partition AND l.partition = mine.partition AND l.epoch = mine.epoch
        AND e.ctid = unsent.ctid
    RETURNING 1
) SELECT count(*) FROM recorded
"""

# A partition's smallest id is, near enough, its oldest event.
_BACKLOG: Final = """
SELECT (SELECT count(*) FROM (SELECT FROM outbox_events WHERE sent_at IS NULL LIMIT %(most)s) AS waiting),
    coalesce(extract(epoch FROM now() - min(oldest.created_at)), 0)::float8
FROM generate_series(0, %(partitions)s - 1) AS p(partition)
CROSS JOIN LATERAL (
    SELECT created_at FROM outbox_events WHERE partition = p.partition AND sent_at IS NULL ORDER BY id LIMIT 1
) AS oldest
"""

_CLEAN_UP: Final = """
DELETE FROM outbox_events AS e
USING (
    SELECT user_id, subject, sequence FROM outbox_events
    WHERE sent_at < now() - make_interval(secs => %(retention_s)s)
    ORDER BY sent_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
) AS old
WHERE e.user_id = old.user_id AND e.subject = old.subject AND e.sequence = old.sequence
"""


def _in(schema: str, text: str) -> str:
    """The statement about the outbox of the schema."""
    return text.replace(" outbox_", f" {schema}.outbox_")


class PostgresOutbox:
    """The outbox of a schema, over a pool of autocommit connections. It implements `Outbox` and `Upkeep`."""

    def __init__(self, pool: Pool, schema: str) -> None:
        self._pool = pool
        self._plans = Plans()
        self._lease = _in(schema, _LEASE)
        self._ask = _in(schema, _ASK)
        self._release = _in(schema, _RELEASE)
        self._claim = Statement(_in(schema, _CLAIM))
        self._record = Statement(_in(schema, _RECORD))
        self._backlog = _in(schema, _BACKLOG)
        self._clean_up = _in(schema, _CLEAN_UP)

    async def lease(self, owner: str, held: Collection[int], ttl_s: float) -> Leases:
        """See `Outbox.lease`."""
        arguments = {"owner": owner, "held": list(held), "ttl_s": ttl_s, "partitions": PARTITIONS}
        async with self._connection() as connection:
            cursor = await connection.execute(self._lease, arguments)
            row = await cursor.fetchone()
            assert row is not None
            share, partitions, epochs = row
            leased = {p: e for p, e in zip(partitions, epochs, strict=True) if p is not None}
            if not leased:
                await connection.execute(self._ask, arguments)
            return Leases(leased, share)

    async def release(self, owner: str, partitions: Collection[int]) -> None:
        """See `Outbox.release`."""
        async with self._connection() as connection:
            await connection.execute(self._release, {"owner": owner, "partitions": list(partitions)})

    async def claim(self, partitions: Sequence[int], limit: int) -> Sequence[OutboxMessage]:
        """See `Outbox.claim`."""
        rows = await self._run(self._claim, (partitions, partitions, limit))
        return [
            OutboxMessage(user_id, row_id, event_id, subject, kind, payload.encode(), partition, attempts, tenant_id)
            for user_id, row_id, event_id, subject, kind, payload, partition, attempts, tenant_id in rows
        ]

    async def record(
        self, results: Sequence[tuple[OutboxMessage, Confirmed | Retry]], epochs: Mapping[int, int]
    ) -> int:
        """See `Outbox.record`."""
        retries = [outcome if isinstance(outcome, Retry) else None for _, outcome in results]
        values = (
            [message.user_id for message, _ in results],
            [message.id for message, _ in results],
            [message.partition for message, _ in results],
            [retry and retry.reason for retry in retries],
            [retry and retry.in_s for retry in retries],
            list(epochs.keys()),
            list(epochs.values()),
        )
        ((recorded,),) = await self._run(self._record, values)
        return int(recorded)

    async def _run(self, statement: Statement, values: Sequence[Any]) -> list[Row]:
        async with self._connection() as connection:
            (rows,) = await self._plans.run(connection, [(statement, values)])
            return rows

    async def backlog(self) -> Backlog:
        """See `Upkeep.backlog`."""
        async with self._connection() as connection:
            cursor = await connection.execute(self._backlog, {"partitions": PARTITIONS, "most": COUNTED})
            row = await cursor.fetchone()
            assert row is not None
            return Backlog(*row)

    async def clean_up(self, retention_h: float, limit: int) -> int:
        """See `Upkeep.clean_up`."""
        async with self._connection() as connection:
            arguments = {"retention_s": retention_h * 3600, "limit": limit}
            return (await connection.execute(self._clean_up, arguments)).rowcount

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with session(self._pool) as connection:
                yield connection
        except psycopg.Error as error:
            raise Unavailable(reason(error)) from error
