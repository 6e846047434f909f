"""The consumers on a real RabbitMQ and a real PostgreSQL."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from aiormq import spec
from structlog.testing import capture_logs

from app.adapters.rabbitmq import topology
from app.adapters.rabbitmq.connection import split
from app.adapters.rabbitmq.dead_letters import RabbitDeadLetters
from app.adapters.rabbitmq.deliveries import MAX_MESSAGE_BYTES
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from consumers import metrics
from consumers.audit import Audit
from consumers.audit_chain import GENESIS, chain_hash
from consumers.kit import database as databases
from consumers.kit.consumer import Consumer
from consumers.kit.database import Database, DatabaseAway
from consumers.kit.messages import Malformed
from consumers.kit.worker import Counts, Delivery, Handle, Outcome, Worker
from tests.integration.outbox_fixtures import Broker, clean_broker, document, eventually, query, running

CHAIN = (
    "SELECT position, event_id, type, subject, sequence, occurred_at, received_at, payload::text, hash, previous_hash"
    " FROM audit.events ORDER BY position"
)


@pytest.fixture
async def broker(rabbitmq_url: str) -> AsyncIterator[Broker]:
    async with clean_broker(rabbitmq_url) as broker:
        yield broker


@contextlib.asynccontextmanager
async def audit(broker: Broker, url: str, counts: Counts | None = None) -> AsyncIterator[None]:
    database = Database(url, "audit")
    async with consuming(broker, topology.AUDIT, Audit(database), counts):
        yield
    await database.close()


@contextlib.asynccontextmanager
async def consuming(
    broker: Broker, queue: topology.Queue, handle: Handle, counts: Counts | None = None
) -> AsyncIterator[None]:
    consumer = Consumer(split(broker.url), queue, handle, counts or Counts(), lambda: None)
    async with running(consumer.run):
        yield


def audited(url: str) -> int:
    return int(query(url, "SELECT count(*) FROM audit.events")[0][0])


def assert_chain(url: str) -> None:
    """Positions have no gaps, each hash is that of its row and the hash before, and the head is the last."""
    previous, position = GENESIS, 0
    for position, row in enumerate(query(url, CHAIN), start=1):
        number, event_id, kind, subject, sequence, occurred_at, received_at, payload, found, before = row
        assert (number, before) == (position, previous)
        previous = chain_hash(
            previous, number, event_id, kind, subject, sequence, occurred_at, received_at, payload.encode()
        )
        assert found == previous
    assert query(url, "SELECT position, hash FROM audit.head") == [(position, previous)]


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


async def settled(broker: Broker, queue: str) -> bool:
    return await broker.depth(queue) == 0


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


# Failing messages


async def test_poison_ends_in_the_dead_letter_queue_with_its_reason_while_others_flow(
    broker: Broker, database: Urls
) -> None:
    poison = [b"no JSON", b"\xff\xfe", b'{"subject": "x"}', b"[" * 100_000, document(uuid4(), 1, UUID(int=7))[:-1]]
    payment = uuid4()
    poison.append(document(payment).replace(b'"sequence": 1', b'"sequence": 9'))
    counts = Counts()
    async with audit(broker, database.app_url, counts):
        for body in poison:
            await broker.send(document(uuid4()))
            await broker.send(body)
        await broker.send(document(payment, 2), "payment.failed")
        await eventually(lambda: audited(database.app_url) == len(poison), 1)  # those that nothing waits for
        await eventually(lambda: counts.dead_letters == len(poison))
        await eventually(lambda: audited(database.app_url) == len(poison) + 1)
        await eventually(lambda: settled(broker, "audit.queue"))
    dead = await broker.take("audit.dlq")
    assert sorted(message.body for message in dead) == sorted(poison)
    for message in dead:
        headers = message.header.properties.headers or {}
        assert str(headers["x-death-reason"]).startswith("malformed: ")
        assert headers["x-death-queue"] == "audit.queue"
        assert headers["x-death-routing-key"] == "payment.created"
        assert message.header.properties.delivery_mode == 2
    assert counts.retries == 3 * len(poison)


async def test_what_is_too_large_to_be_an_event_is_not_kept_here_and_whole_among_the_dead_letters(
    broker: Broker, database: Urls
) -> None:
    large = [b"x" * (MAX_MESSAGE_BYTES + 1), b"y" * 3_000_000]
    counts = Counts()
    for body in (document(uuid4()), large[0], document(uuid4()), large[1], document(uuid4())):
        await broker.send(body)
    async with audit(broker, database.app_url, counts):
        await eventually(lambda: audited(database.app_url) == 3)
        await eventually(lambda: holds(broker, "audit.dlq", len(large)))
        await eventually(lambda: settled(broker, "audit.queue"))
    dead = await broker.take("audit.dlq")
    assert sorted(message.body for message in dead) == large
    for message in dead:
        headers: Any = message.header.properties.headers
        [death] = headers["x-death"]
        assert (death["reason"], death["queue"]) == ("rejected", "audit.queue")
    assert (counts.handled, counts.dead_letters) == (3, len(large))


async def test_later_messages_of_a_failing_payment_wait_behind_it_and_nobody_elses() -> None:
    a, b = uuid4(), uuid4()
    a1, a2, a3, b1, b2 = (document(payment, n) for payment, n in ((a, 1), (a, 2), (a, 3), (b, 1), (b, 2)))
    handled: list[bytes] = []
    heal = False

    async def handle(documents: Sequence[bytes]) -> None:
        if a1 in documents and not heal:
            raise Malformed("for now")
        handled.extend(documents)

    worker, outcome = Worker(handle, Counts(), asyncio.Event()), Outcome()
    await worker.work([Delivery(n, body) for n, body in enumerate([a1, b1, a2, b2, a3])], outcome)
    assert handled == [b1, b2]
    heal = True
    await worker.retry(float("inf"), outcome)
    assert handled == [b1, b2, a1, a2, a3]
    assert sorted(delivery.tag for delivery in outcome.done) == [0, 1, 2, 3, 4]
    assert worker.next_retry_at() is None


async def test_a_message_that_waits_behind_a_dead_one_is_handled(broker: Broker, database: Urls) -> None:
    """The dead one is left out of the story: the audit log says so by its missing sequence."""
    payment = uuid4()
    counts = Counts()

    async def handle(documents: Sequence[bytes]) -> None:
        if any(b'"sequence": 1' in body for body in documents):
            raise psycopg.errors.CheckViolation
        await Audit(db)(documents)

    db = Database(database.app_url, "audit")
    async with consuming(broker, topology.AUDIT, handle, counts):
        await broker.send(document(payment, 1))
        await broker.send(document(payment, 2), "payment.failed")
        await eventually(lambda: audited(database.app_url) == 1)
    await db.close()
    [dead] = await broker.take("audit.dlq")
    assert (dead.header.properties.headers or {})["x-death-reason"] == "CheckViolation 23514"


async def test_a_redriven_dead_letter_has_its_effect_and_nobody_else_gets_it(broker: Broker, database: Urls) -> None:
    body, poison = document(uuid4()), b"poison"
    for dead in (body, poison):
        properties = spec.Basic.Properties(message_id="m", headers={"x-death-reason": "a bug", "mine": "1"})
        await broker.channel.basic_publish(dead, routing_key="audit.dlq", properties=properties)
    counts = Counts()
    async with audit(broker, database.app_url, counts):
        assert await redrive(broker) == 2
        await eventually(lambda: audited(database.app_url) == 1)
        await eventually(lambda: counts.dead_letters == 1)
        await eventually(lambda: holds(broker, "audit.dlq", 1))
    [again] = await broker.take("audit.dlq")
    headers = again.header.properties.headers or {}
    assert (again.body, headers["mine"]) == (poison, "1")
    assert str(headers["x-death-reason"]).startswith("malformed")
    assert await broker.depth("metrics.queue") == 0
    assert await redrive(broker) == 0


async def redrive(broker: Broker) -> int:
    letters = RabbitDeadLetters(split(broker.url))
    return await letters.redrive_all("audit.queue", lambda _, __: None, asyncio.Event())


# Outages


async def test_while_the_database_is_away_nothing_is_lost_or_given_up_and_then_it_goes_on(
    broker: Broker, database: Urls, postgres_server: PostgresServer
) -> None:
    counts = Counts()
    async with audit(broker, database.app_url, counts):
        await broker.send(document(uuid4()))
        await eventually(lambda: audited(database.app_url) == 1)
        await asyncio.to_thread(postgres_server.kill)
        await eventually(lambda: not postgres_server.alive)
        for _ in range(30):
            await broker.send(document(uuid4()))
        await asyncio.to_thread(postgres_server.start)
        await eventually(lambda: audited(database.app_url) == 31, 10)
    assert (counts.retries, counts.dead_letters) == (0, 0)
    assert_chain(database.app_url)


async def test_stopping_while_the_database_is_away_gives_the_messages_back(broker: Broker) -> None:
    async def away(_: Sequence[bytes]) -> None:
        tried.set()
        raise DatabaseAway("gone")

    tried = asyncio.Event()
    async with consuming(broker, topology.AUDIT, away):
        await broker.send(document(uuid4()))
        await tried.wait()
    await eventually(lambda: holds(broker, "audit.queue", 1))


async def holds(broker: Broker, queue: str, count: int) -> bool:
    return await broker.depth(queue) == count


async def test_stopping_finishes_and_acknowledges_what_is_held(broker: Broker) -> None:
    handled: list[bytes] = []
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(documents: Sequence[bytes]) -> None:
        begun.set()
        await go_on.wait()
        handled.extend(documents)

    async with consuming(broker, topology.AUDIT, slow):
        for _ in range(5):
            await broker.send(document(uuid4()))
        await begun.wait()
        asyncio.get_running_loop().call_later(0.2, go_on.set)
    assert len(handled) >= 1
    assert await broker.depth("audit.queue") == 5 - len(handled)


async def test_a_deleted_queue_is_consumed_again_when_it_is_back(broker: Broker, database: Urls) -> None:
    async with audit(broker, database.app_url):
        await broker.send(document(uuid4()))
        await eventually(lambda: audited(database.app_url) == 1)
        await broker.channel.queue_delete("audit.queue")
        await eventually(lambda: is_consumed(broker, "audit.queue"))  # by then it is bound, too
        await broker.send(document(uuid4()))
        await eventually(lambda: audited(database.app_url) == 2)


async def is_consumed(broker: Broker, queue: str) -> bool:
    return await broker.consumers(queue) == 1


async def test_a_lock_held_too_long_is_nobodys_fault(
    broker: Broker, database: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "_LIMITS", {"lock_timeout": 50})
    counts = Counts()
    with psycopg.connect(database.owner_url) as blocker, capture_logs() as logs:
        blocker.execute("LOCK TABLE audit.head")
        async with audit(broker, database.app_url, counts):
            await broker.send(document(uuid4()))
            await eventually(lambda: any("LockNotAvailable 55P03" in log.get("reason", "") for log in logs))
            blocker.rollback()
            await eventually(lambda: audited(database.app_url) == 1)
    assert (counts.retries, counts.dead_letters) == (0, 0)


# The metrics consumer


async def test_payments_are_counted_once_by_status_and_currency_whoever_counts(broker: Broker, database: Urls) -> None:
    bodies = [document(uuid4(), 1, amount=2**62, currency="EUR") for _ in range(20)]
    bodies += [document(uuid4(), 2, amount=7) for _ in range(10)]
    used = [Database(database.app_url, "metrics") for _ in range(3)]
    counts = [Counts(), Counts()]
    async with (
        consuming(broker, topology.METRICS, metrics.Metrics(used[0]), counts[0]),
        consuming(broker, topology.METRICS, metrics.Metrics(used[1]), counts[1]),
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
