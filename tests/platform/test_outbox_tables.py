"""Every outbox is of one shape, and the first one serves processes of the version before under its old names."""

import uuid
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Json

from app.main import databases
from app.main.local.roles import Urls, make_database
from app.platform.postgres import migrations
from app.platform.postgres.grants import of_an_outbox
from app.platform.postgres.outbox_tables import tables_in
from tests.greetings.context import HOME
from tests.migrating import down_to

# Whatever makes up a table, without the order of its columns.
_SHAPE = """
    SELECT 'column', concat_ws(' ', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        a.attidentity, a.attgenerated, a.attcollation, pg_get_expr(d.adbin, d.adrelid))
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace = %(schema)s::text::regnamespace AND c.relname IN ('outbox_events', 'outbox_leases')
        AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT 'index', replace(pg_get_indexdef(indexrelid), %(schema)s::text || '.', '')
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE c.relnamespace = %(schema)s::text::regnamespace AND starts_with(c.relname, 'outbox_')
    UNION ALL
    SELECT 'constraint', concat_ws(' ', conname, pg_get_constraintdef(t.oid))
    FROM pg_constraint t JOIN pg_class c ON c.oid = t.conrelid
    WHERE c.relnamespace = %(schema)s::text::regnamespace AND starts_with(c.relname, 'outbox_')
    UNION ALL
    SELECT 'storage', concat_ws(' ', relname, relkind, relpersistence, reloptions)
    FROM pg_class WHERE relnamespace = %(schema)s::text::regnamespace AND starts_with(relname, 'outbox_')
    UNION ALL
    SELECT 'privilege', concat_ws(' ', c.relname, a.privilege_type)
    FROM pg_class c CROSS JOIN aclexplode(c.relacl) a
    WHERE c.relnamespace = %(schema)s::text::regnamespace AND starts_with(c.relname, 'outbox_')
        AND a.grantee = 'strongbox_app'::regrole
    UNION ALL
    SELECT 'privilege', privilege_type FROM pg_namespace, aclexplode(nspacl)
    WHERE nspname = %(schema)s::text AND grantee = 'strongbox_app'::regrole
    ORDER BY 1, 2
"""
_OUTBOXES = """
    SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = 'outbox_events' AND c.relkind IN ('r', 'p') ORDER BY 1
"""


def shape(connection: psycopg.Connection[Any], schema: str) -> list[tuple[str, str]]:
    return connection.execute(_SHAPE, {"schema": schema}).fetchall()


def test_every_outbox_has_the_shape_that_a_context_is_given(database: Urls) -> None:
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("CREATE SCHEMA model")
        owner.execute(tables_in("model").encode())
        outboxes = [schema for (schema,) in owner.execute(_OUTBOXES).fetchall()]
        assert "payments" in outboxes
        model = shape(owner, "model")
        assert len(model) > 30
        for schema in outboxes:
            assert shape(owner, schema) == model, schema
        leases = "SELECT array_agg(l ORDER BY partition) FROM {}.outbox_leases l"
        assert owner.execute(leases.format("model").encode()).fetchall() == (
            owner.execute(leases.format("payments").encode()).fetchall()
        )


def test_the_context_of_the_tests_has_what_is_printed_for_it() -> None:
    assert tables_in("greetings") in (HOME / "migrations/0901.greetings.sql").read_text()


def test_what_a_context_grants_is_what_is_granted_again(database: Urls) -> None:
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("CREATE SCHEMA model")
        owner.execute(tables_in("model").encode())
        granted = shape(owner, "model")
        owner.execute("REVOKE ALL ON ALL TABLES IN SCHEMA model FROM strongbox_app")
        owner.execute("REVOKE ALL ON ALL SEQUENCES IN SCHEMA model FROM strongbox_app")
        owner.execute("REVOKE ALL ON SCHEMA model FROM strongbox_app")
        assert shape(owner, "model") != granted
        for each in of_an_outbox("model"):
            owner.execute(each.statement.encode())
        assert shape(owner, "model") == granted


# What a process of schema 4 does with its outbox, in that version's words.
_INSERT = """
    INSERT INTO outbox_events (user_id, event_id, payment_id, sequence, type, payload, partition, created_at)
    SELECT r.user_id, r.event_id, r.payment_id, r.sequence, r.type, r.payload::json, r.partition, now()
    FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::smallint[], %s::text[], %s::text[], %s::smallint[])
        WITH ORDINALITY AS r (user_id, event_id, payment_id, sequence, type, payload, partition, nth)
    ORDER BY r.nth
"""
_TAKE = """
    UPDATE outbox_leases AS l SET owner = 'old', epoch = l.epoch + 1, leased_until = now() + interval '9 s'
    FROM (SELECT partition FROM outbox_leases WHERE owner IS NULL ORDER BY partition LIMIT 16
          FOR UPDATE SKIP LOCKED) AS free
    WHERE l.partition = free.partition
    RETURNING l.epoch
"""
_CLAIM = "SELECT user_id, id, payment_id, payload::text FROM outbox_events WHERE sent_at IS NULL ORDER BY id"
_MARK = """
    UPDATE outbox_events AS e SET sent_at = now(), attempts = e.attempts + 1
    FROM unnest(%s::uuid[], %s::bigint[]) AS r(user_id, id), outbox_leases AS l,
        LATERAL (SELECT ctid FROM outbox_events
                 WHERE partition = 3 AND id = r.id AND user_id = r.user_id AND sent_at IS NULL LIMIT 1) AS unsent
    WHERE l.partition = 3 AND l.epoch = 1 AND e.ctid = unsent.ctid
"""
_CLEAN_UP = """
    DELETE FROM outbox_events AS e
    USING (SELECT user_id, payment_id, sequence FROM outbox_events WHERE sent_at <= now() ORDER BY sent_at LIMIT 1
           FOR UPDATE SKIP LOCKED) AS old
    WHERE e.user_id = old.user_id AND e.payment_id = old.payment_id AND e.sequence = old.sequence
"""
_PLACE = """
    SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END >= (SELECT max(id) FROM outbox_events)
    FROM outbox_events_id_seq
"""


def test_processes_of_the_version_before_write_relay_and_clean_up_on_the_new_schema(database: Urls) -> None:
    payment, ids = uuid4(), [uuid4(), uuid4()]
    with psycopg.connect(database.app_url, autocommit=True) as old:
        values = ([payment] * 2, ids, [payment] * 2, [1, 2], ["a", "b"], ['{"a":  1}', "{}"], [3, 3])
        assert old.execute(_INSERT, values).rowcount == 2
        assert old.execute(_TAKE).rowcount == 16
        claimed = old.execute(_CLAIM).fetchall()
        assert [(row[2], row[3]) for row in claimed] == [(payment, '{"a":  1}'), (payment, "{}")]
        assert old.execute(_MARK, ([row[0] for row in claimed], [row[1] for row in claimed])).rowcount == 2
        assert old.execute(_PLACE).fetchone() == (True,)
        assert old.execute(_CLEAN_UP).rowcount == 1
        rows = old.execute("SELECT event_id, subject, attempts, tenant_id FROM payments.outbox_events").fetchall()
    assert rows == [(ids[1], payment, 1, None)]


@pytest.fixture
def at_4(postgres_url: str, make_fresh_database: object) -> Iterator[str]:
    """A database of schema 4 with an event in its outbox, and a reader of somebody's."""
    name = f"at_4_{uuid.uuid4().hex[:8]}"
    make_database(postgres_url, name)
    url = f"{postgres_url.rpartition('/')[0]}/{name}"
    migrations.up(databases.at(url))
    down_to(url, 4)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE reader_{name}".encode())
        owner.execute(f"GRANT SELECT ON outbox_events TO reader_{name}".encode())
        owner.execute(
            "INSERT INTO outbox_events (user_id, event_id, payment_id, sequence, type, payload, partition, created_at)"
            " VALUES (%s, %s, %s, 1, 'payment.created', %s, 3, now())",
            (uuid4(), uuid4(), uuid4(), Json({"kept": True})),
        )
    yield url
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(f"DROP OWNED BY reader_{name}".encode())
        owner.execute(f"DROP ROLE reader_{name}".encode())


def test_an_outbox_with_events_in_it_moves_there_and_back(at_4: str) -> None:
    columns = "user_id, id, event_id, payment_id, sequence, type, payload::text, partition, attempts, created_at, ctid"
    kept = f"SELECT {columns} FROM outbox_events".encode()
    next_number = b"SELECT nextval(pg_get_serial_sequence(%s, 'id'))"
    with psycopg.connect(at_4, autocommit=True) as connection:
        before = connection.execute(kept).fetchall()
        assert migrations.up(databases.at(at_4))[0] == "0005.outbox"
        assert connection.execute(kept).fetchall() == before
        assert connection.execute(next_number, ("payments.outbox_events",)).fetchone() == (2,)
        reader = "SELECT has_table_privilege('reader_' || current_database(), 'outbox_events', 'SELECT')"
        assert connection.execute(reader.encode()).fetchone() == (True,)
        assert down_to(at_4, 4)[-1] == "0005.outbox"
        assert connection.execute(kept).fetchall() == before
        assert connection.execute(next_number, ("outbox_events",)).fetchone() == (3,)
        migrations.up(databases.at(at_4))
        assert connection.execute(kept).fetchall() == before
