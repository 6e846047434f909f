"""The outbox in PostgreSQL: payloads, backlog, retention, and the plans of what a relay asks over and over."""

import re
from collections.abc import Awaitable
from typing import cast
from uuid import uuid4

import psycopg
import pytest

from app.main.local.roles import Urls
from app.platform.messaging.ports import COUNTED, Backlog, OutboxMessage, in_words
from app.platform.messaging.upkeep import keep_up
from app.platform.postgres import numbering
from app.platform.postgres.figures import PostgresFigures
from app.platform.postgres.outbox import PostgresOutbox
from app.platform.postgres.pool import Pool
from tests.plans import plan_of
from tests.platform.outbox_fixtures import document, eventually, insert_events, outbox_pool, query, running


async def test_the_payload_arrives_as_it_was_written(database: Urls) -> None:
    payment, event_id, tenant = uuid4(), uuid4(), uuid4()
    body = document(payment, 1, event_id, note="ß  \\u0041").replace(b": ", b" :  ")
    query(
        database.app_url,
        "INSERT INTO payments.outbox_events"
        " (user_id, event_id, subject, sequence, type, payload, partition, created_at, tenant_id)"
        " VALUES (%s, %s, %s, 1, 'payment.created', %s, 5, now(), %s)",
        *(payment, event_id, payment, body.decode(), tenant),
    )
    async with outbox_pool(database.app_url) as pool:
        [message] = await PostgresOutbox(pool, "payments").claim([5], 10)
    assert message == OutboxMessage(payment, message.id, event_id, payment, "payment.created", body, 5, 0, tenant)


async def test_a_look_at_the_backlog_counts_only_so_far(database: Urls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.platform.postgres.outbox.COUNTED", 3)
    monkeypatch.setattr("app.platform.postgres.figures.COUNTED", 3)
    insert_events(database.app_url, [uuid4() for _ in range(5)])
    async with outbox_pool(database.app_url) as pool:
        assert (await PostgresOutbox(pool, "payments").backlog()).depth == 3
    assert (await PostgresFigures(database.app_url, "", 5.0).outbox("payments")).depth == 3
    assert (in_words(COUNTED - 1), in_words(COUNTED)) == ("99999", "100,000 or more")


async def test_the_backlog_is_what_waits_and_how_long_the_oldest_has(database: Urls) -> None:
    async with outbox_pool(database.app_url) as pool:
        outbox = PostgresOutbox(pool, "payments")
        assert await outbox.backlog() == Backlog(0, 0.0)
        insert_events(database.app_url, [uuid4() for _ in range(5)])
        query(
            database.app_url,
            "UPDATE payments.outbox_events SET created_at = now() - interval '90 s' WHERE partition = 3",
        )
        backlog = await outbox.backlog()
    assert backlog.depth == 10
    assert 90 <= backlog.lag_s < 120


async def test_sent_events_leave_after_their_retention_and_unsent_ones_never(database: Urls) -> None:
    insert_events(database.app_url, [uuid4() for _ in range(1300)], (1, 2))
    url = database.app_url
    query(url, "UPDATE payments.outbox_events SET created_at = now() - interval '9 h'")
    query(url, "UPDATE payments.outbox_events SET sent_at = now() - interval '3 h' WHERE sequence = 1")
    query(
        url, "UPDATE payments.outbox_events SET sent_at = now() - interval '1 h' WHERE sequence = 2 AND partition = 1"
    )
    seen: list[Backlog] = []
    async with outbox_pool(url) as pool:
        async with running(lambda stop: keep_up(PostgresOutbox(pool, "payments"), 2, seen.append, stop)):
            await eventually(
                lambda: query(url, "SELECT count(*) FROM payments.outbox_events WHERE sequence = 1") == [(0,)]
            )
        assert query(url, "SELECT count(*) FROM payments.outbox_events") == [(1300,)]
    assert seen


def test_every_polling_query_stays_on_its_index(database: Urls) -> None:
    """However many sent events the table keeps."""
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO payments.outbox_events (user_id, event_id, subject, sequence, type, payload, partition,"
            " created_at, sent_at)"
            " SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1, 'payment.created',"
            " json_build_object('x', repeat('x', 500)), n %% 16, now(), CASE WHEN n %% 200 > 0 THEN now() END"
            " FROM generate_series(1, 40000) AS n".replace("%%", "%")
        )
        connection.execute("VACUUM ANALYZE payments.outbox_events")
        some = connection.execute("SELECT * FROM payments.outbox_events WHERE sent_at IS NULL LIMIT 200").fetchall()
    users, ids, partitions = [row[0] for row in some], [row[1] for row in some], [row[7] for row in some]
    nothing, every = [None] * len(some), list(range(16))
    record = (users, ids, partitions, nothing, nothing, every, [1] * 16)
    outbox = PostgresOutbox(cast("Pool", None), "payments")
    for mode, text, values, index in (
        ("force_generic_plan", outbox._claim.text, (every, every, 1000), "outbox_events_unsent"),
        ("force_generic_plan", outbox._record.text, record, "outbox_events_unsent"),
        ("force_custom_plan", outbox._backlog % {"most": COUNTED, "partitions": 16}, (), "outbox_events_unsent"),
        ("force_custom_plan", numbering.of_an_outbox("payments").places, (), "outbox_events_unsent"),
        ("force_custom_plan", numbering.of_an_outbox("payments").places, (), "outbox_events_sent"),
        ("force_custom_plan", outbox._clean_up % {"retention_s": 3600, "limit": 1000}, (), "outbox_events_sent"),
    ):
        plan = plan_of(database.app_url, mode, text, values)
        assert index in plan, plan
        assert "Seq Scan on outbox_events " not in plan, plan


async def test_a_mark_looks_up_its_rows_however_many_wait_that_the_planner_knows_nothing_of(database: Urls) -> None:
    """As after an outage of the broker in a quiet night: when the rows were last counted none was unsent."""
    insert_events(database.app_url, [uuid4() for _ in range(500)])
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE payments.outbox_events SET (autovacuum_enabled = off)")
        connection.execute("UPDATE payments.outbox_events SET sent_at = now()")
        connection.execute("VACUUM ANALYZE payments.outbox_events")
    insert_events(database.app_url, [uuid4() for _ in range(3000)])
    rows = query(
        database.app_url, "SELECT user_id, id, partition FROM payments.outbox_events WHERE sent_at IS NULL LIMIT 500"
    )
    users, ids, partitions = (list(column) for column in zip(*rows, strict=True))
    nothing, every = [None] * len(rows), list(range(16))
    values = (users, ids, partitions, nothing, nothing, every, [0] * 16)
    outbox = PostgresOutbox(cast("Pool", None), "payments")
    for mode in ("force_generic_plan", "force_custom_plan"):
        plan = plan_of(database.app_url, mode, outbox._record.text, values)
        assert re.search(r"Index Scan using outbox_events_unsent.*\n.*Index Cond: .*\bid = r\.id", plan), plan
        assert plan.count("outbox_events_unsent") == 1, plan


async def test_a_database_that_is_away_is_told_as_such(database: Urls) -> None:
    from app.kernel.errors import Unavailable

    async with outbox_pool(database.app_url) as pool:
        outbox: Awaitable[object] = PostgresOutbox(pool, "payments").claim([1], 1)
        await pool.close()
        with pytest.raises(Unavailable):
            await outbox
