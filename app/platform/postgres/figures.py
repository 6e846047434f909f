"""Figures of the databases, for operators: how full, how far, how late."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection

from app.kernel.topology import Publication
from app.platform.messaging.leases import LEASE_TTL_S
from app.platform.messaging.ports import COUNTED
from app.platform.operations.health import LATE_S
from app.platform.operations.judgement import ConsumerFigures, DatabaseFigures, OutboxFigures
from app.platform.operations.replication import Replication, Standby
from app.platform.postgres.collations import collations_that_changed
from app.platform.postgres.inspection import inspecting
from app.platform.postgres.outbox import IS_LEASED, PARTITIONS
from app.platform.postgres.pipeline import Row
from app.platform.postgres.schema import Expected, migrations_of, problems

_DATABASE = """
    SELECT current_setting('server_version'), current_setting('max_connections')::int,
           (SELECT sum(numbackends)::int FROM pg_stat_database)
"""

_COMMITS = """
    SELECT CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN ''
                ELSE current_setting('synchronous_standby_names') END,
           count(*)::int, coalesce(extract(epoch FROM clock_timestamp() - min(query_start)), 0)::float8,
           pg_has_role('pg_read_all_stats', 'USAGE')
    FROM pg_stat_activity WHERE wait_event = 'SyncRep'
"""
# A standby may have standbys of its own.
_STANDBYS = """
    SELECT application_name, state, sync_state,
           pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn()
                                ELSE pg_current_wal_flush_lsn() END, flush_lsn)::bigint,
           extract(epoch FROM replay_lag)::float8
    FROM pg_stat_replication ORDER BY application_name
"""

# A partition's smallest id is, near enough, its oldest event.
_OUTBOX = """
    WITH waiting AS MATERIALIZED (
        SELECT attempts, retry_at, last_error FROM {schema}.outbox_events WHERE sent_at IS NULL LIMIT %(most)s
    )
    SELECT (SELECT count(*) FROM waiting),
           (SELECT coalesce(extract(epoch FROM now() - min(oldest.created_at)), 0)::float8
            FROM generate_series(0, %(partitions)s - 1) AS p(partition)
            CROSS JOIN LATERAL (
                SELECT created_at FROM {schema}.outbox_events WHERE partition = p.partition AND sent_at IS NULL
                ORDER BY id LIMIT 1
            ) AS oldest),
           (SELECT count(*) FROM waiting WHERE attempts > 0),
           (SELECT last_error FROM waiting WHERE attempts > 0 ORDER BY retry_at LIMIT 1),
           (SELECT coalesce(jsonb_object_agg(owner, held), '{{}}')
            FROM (SELECT owner, count(*) AS held FROM {schema}.outbox_leases WHERE {is_leased} GROUP BY owner) AS l),
           (SELECT max(sent_at) FROM {schema}.outbox_events),
           (SELECT min(sent_at) FROM {schema}.outbox_events)
"""

# What was sent only just now may be on its way. The index by sent_at is walked from its end.
_SENT = """
    SELECT event_id, extract(epoch FROM now() - sent_at)::float8 FROM {schema}.outbox_events
    WHERE sent_at < now() - make_interval(secs => %(settling_s)s) AND type LIKE ANY(%(types)s)
    ORDER BY sent_at DESC LIMIT %(most)s
"""
_AUDITED = """
    SELECT ARRAY(SELECT id FROM unnest(%(ids)s::uuid[]) AS e(id)
                 WHERE NOT EXISTS (SELECT FROM audit.events AS a WHERE a.event_id = e.id)),
           (SELECT occurred_at FROM audit.events ORDER BY position DESC LIMIT 1)
"""
_COUNTED = """
    SELECT ARRAY(SELECT id FROM unnest(%(ids)s::uuid[]) AS e(id)
                 WHERE NOT EXISTS (SELECT FROM metrics.inbox AS i WHERE i.event_id = e.id)),
           (SELECT max(received_at) FROM metrics.inbox)
"""
LOOKED_FOR = 1000
"""So many of the events sent last are looked for at each consumer."""


async def _replication(connection: AsyncConnection[Row]) -> Replication:
    ((wanted, waiting, waiting_s, all_shown),) = await (await connection.execute(_COMMITS)).fetchall()
    standbys = [Standby(*row) for row in await (await connection.execute(_STANDBYS)).fetchall()]
    return Replication(wanted, standbys, waiting, waiting_s, all_shown)


class PostgresFigures:
    """Looks at a database, and at the consumers', each time for `within_s` at most.

    Every method raises `Unavailable` when a database is out of reach.
    """

    def __init__(self, url: str, consumers_url: str, within_s: float) -> None:
        self._url = url
        self._consumers_url = consumers_url
        self._within_s = within_s

    async def database(self, expected: Expected) -> DatabaseFigures:
        """The server, which of the expected migrations the schema has, and what keeps services from working in it."""
        async with inspecting(self._url, self._within_s) as books:
            cursor = await books.execute(_DATABASE)
            ((version, most, used),) = await cursor.fetchall()
            replication = await _replication(books)
            had = await migrations_of(books)
            found = await problems(books, expected)
            reordered = await collations_that_changed(books)
        schema = max((int(name.split(".", 1)[0]) for name in had & set(expected.migrations)), default=0)
        missing = [name for name in expected.migrations if name not in had]
        return DatabaseFigures(version.split()[0], schema, missing, used, most, replication, found, reordered)

    async def outbox(self, schema: str) -> OutboxFigures:
        """The outbox in the schema, and its leases."""
        ((depth, oldest_s, failing, last_error, leases, last_sent, oldest_sent),) = await self._rows(
            self._url,
            _OUTBOX.format(schema=schema, is_leased=IS_LEASED),
            {"partitions": PARTITIONS, "most": COUNTED, "ttl_s": LEASE_TTL_S},
        )
        return OutboxFigures(depth, oldest_s, failing, last_error, leases, PARTITIONS, last_sent, oldest_sent)

    async def consumers(self, outboxes: Sequence[tuple[str, Publication]]) -> Mapping[str, ConsumerFigures]:
        """What each consumer lacks of the events sent last from the outboxes, and its newest."""
        return {
            "audit": await self._consumer(outboxes, "audit.queue", _AUDITED),
            "metrics": await self._consumer(outboxes, "metrics.queue", _COUNTED),
        }

    async def _consumer(self, outboxes: Sequence[tuple[str, Publication]], name: str, query: str) -> ConsumerFigures:
        sent: dict[object, float] = {}
        for url, publication in outboxes:
            types = [key.replace("*", "%") for queue, key in publication.exchange.bindings if queue == name]
            known = {"settling_s": LATE_S, "types": types, "most": LOOKED_FOR}
            sent |= dict(await self._rows(url, _SENT.format(schema=publication.schema), known)) if types else {}
        ((missing, newest_at),) = await self._rows(self._consumers_url, query, {"ids": list(sent)})
        return ConsumerFigures(len(missing), max((sent[one] for one in missing), default=0.0), newest_at)

    async def _rows(self, url: str, query: str, known: dict[str, object]) -> list[tuple[Any, ...]]:
        async with inspecting(url, self._within_s) as connection:
            return await (await connection.execute(query, known)).fetchall()
