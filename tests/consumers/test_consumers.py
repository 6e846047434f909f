"""The consumers on a real RabbitMQ and a real PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import uuid4

import psycopg
import pytest

from app.contexts.payments.public import EVENTS
from app.main.local.roles import Urls
from app.platform.messaging.inbox_database import Database
from app.platform.messaging.received_events import Malformed
from app.platform.messaging.worker import Counts
from consumers import metrics
from consumers.audit import Audit
from tests.consumers.consuming import CHAIN, assert_chain, audit, audited, consuming, settled
from tests.platform.outbox_fixtures import Broker, document, eventually, query

METRICS = EVENTS.queue("metrics.queue")


# The audit consumer


async def test_every_event_is_audited_once_as_it_came_in_one_chain(broker: Broker, database: Urls) -> None:
    bodies = [document(uuid4(), sequence, note="ü\\u0041 ") for sequence in (1, 2, 3) for _ in range(50)]
    for body in bodies + bodies[:20]:
        await broker.send(body, "refund.created" if b"refund.created" in body else "payment.created")
    async with audit(broker, database.app_url):
        await eventually(lambda: audited(database.app_url) == 150)
        await eventually(lambda: settled(broker, "audit.queue"))
    assert [row[7].encode() for row in query(database.app_url, CHAIN)] == bodies
    assert_chain(database.app_url)


async def test_a_redelivered_event_has_one_effect(broker: Broker, database: Urls) -> None:
    """As kill -9 between the commit and the ack leaves it: the effect is there, the message comes again."""
    bodies = [document(uuid4()) for _ in range(10)]
    handler = Audit(Database(database.app_url, "killed"))
    await handler(bodies)
    await handler._database.close()
    for body in bodies:
        await broker.send(body)
    counts = Counts()
    async with audit(broker, database.app_url, counts):
        await eventually(lambda: counts.handled == 10)
    assert audited(database.app_url) == 10
    assert await broker.depth("audit.queue") == 0


async def test_two_audit_consumers_keep_one_chain_without_gaps(broker: Broker, database: Urls) -> None:
    """Each message comes twice, so that both may have it at the same time."""
    bodies = [document(uuid4()) for _ in range(600)]
    async with audit(broker, database.app_url), audit(broker, database.app_url):
        await asyncio.gather(*(broker.send(body) for body in bodies + bodies))
        await eventually(lambda: audited(database.app_url) == 600)
        await eventually(lambda: settled(broker, "audit.queue"))
    assert_chain(database.app_url)
    assert await broker.depth("audit.dlq") == 0


async def test_the_hash_can_be_recomputed_in_sql(database: Urls) -> None:
    handler = Audit(Database(database.app_url, "audit"))
    await handler([document(uuid4(), n % 3 + 1, note="€") for n in range(5)])
    await handler._database.close()
    assert query(
        database.app_url,
        "SELECT count(*) FROM audit.events WHERE hash ="
        " sha256(previous_hash || convert_to(concat_ws(E'\\n', position, event_id, subject, sequence,"
        " trunc(extract(epoch FROM occurred_at) * 1000000), trunc(extract(epoch FROM received_at) * 1000000),"
        " length(type), type || payload::text), 'UTF8'))",
    ) == [(5,)]


@pytest.mark.parametrize(
    "statement", ["UPDATE audit.events SET type = 'x'", "DELETE FROM audit.events", "TRUNCATE audit.events",
                  "DELETE FROM audit.head", "UPDATE audit.actions SET action = 'x'"],
)  # fmt: skip
def test_the_services_role_cannot_rewrite_the_audit_log(database: Urls, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(database.app_url, statement)


# The metrics consumer


async def test_payments_are_counted_once_by_status_and_currency_whoever_counts(broker: Broker, database: Urls) -> None:
    bodies = [document(uuid4(), 1, amount=2**62, currency="EUR") for _ in range(20)]
    bodies += [document(uuid4(), 2, amount=7) for _ in range(10)]
    used = [Database(database.app_url, "metrics") for _ in range(3)]
    counts = [Counts(), Counts()]
    async with (
        consuming(broker, METRICS, metrics.Metrics(used[0]), counts[0]),
        consuming(broker, METRICS, metrics.Metrics(used[1]), counts[1]),
    ):
        await asyncio.gather(*(broker.send(body) for body in bodies * 3))
        await eventually(lambda: counts[0].handled + counts[1].handled == 90)
    collected = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in await metrics.collect(used[2])
        for sample in metric.samples
    }
    for one in used:
        await one.close()
    assert collected["strongbox_payments_total", "PENDING", "EUR"] == 20
    assert collected["strongbox_payments_total", "DECLINED", "USD"] == 10
    assert collected["strongbox_payment_amount_minor_total", "PENDING", "EUR"] == 20 * 2**62
    assert collected["strongbox_commit_to_seen_seconds_count",] == 30
    assert collected["strongbox_commit_to_seen_seconds_bucket", "+Inf"] == 30


async def test_the_inbox_forgets_what_no_replay_can_bring_again(database: Urls) -> None:
    db = Database(database.app_url, "metrics")
    await metrics.Metrics(db)([document(uuid4()) for _ in range(3)])
    query(database.owner_url, "UPDATE metrics.inbox SET received_at = now() - interval '5 h' WHERE event_id = ("
          "SELECT min(event_id::text)::uuid FROM metrics.inbox)")  # fmt: skip
    await metrics.INBOX.clean_up(db, 4)
    await db.close()
    assert query(database.app_url, "SELECT count(*) FROM metrics.inbox") == [(2,)]


@pytest.mark.parametrize("handler", [Audit, metrics.Metrics])
async def test_one_bad_document_leaves_no_effect_of_its_batch(
    database: Urls, handler: Callable[[Database], Callable[[Sequence[bytes]], Awaitable[None]]]
) -> None:
    db = Database(database.app_url, "tests")
    with pytest.raises(Malformed):
        await handler(db)([document(uuid4()), b"{}"])
    await db.close()
    assert audited(database.app_url) == 0
    assert query(database.app_url, "SELECT count(*) FROM metrics.inbox") == [(0,)]
