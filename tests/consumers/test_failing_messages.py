"""Messages that fail, on a real RabbitMQ and a real PostgreSQL: what becomes of them, and of those behind them."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from aiormq import spec

from app.contexts.payments.public import EVENTS
from app.main.local.roles import Urls
from app.platform.messaging import worker as workers
from app.platform.messaging.inbox_database import Database
from app.platform.messaging.received_events import Malformed
from app.platform.messaging.worker import Counts, Delivery, Finished, Worker
from app.platform.rabbitmq.connection import split
from app.platform.rabbitmq.dead_letters import RabbitDeadLetters
from app.platform.rabbitmq.deliveries import MAX_MESSAGE_BYTES
from consumers.audit import Audit
from tests.consumers.consuming import AUDIT, audit, audited, consuming, holds, settled
from tests.platform.outbox_fixtures import Broker, document, eventually


async def test_poison_ends_in_the_dead_letter_queue_with_its_reason_while_others_flow(
    broker: Broker, database: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "RETRY_BACKOFF_S", (0.2, 0.6, 5.0))  # time to look while it is tried
    poison = [b"no JSON", b"\xff\xfe", b'{"subject": "x"}', b"[" * 100_000, document(uuid4(), 1, UUID(int=7))[:-1]]
    payment = uuid4()
    poison.append(document(payment).replace(b'"sequence": 1', b'"sequence": 0'))
    counts = Counts()
    async with audit(broker, database.app_url, counts):
        for body in poison:
            await broker.send(document(uuid4()))
            await broker.send(body)
        await broker.send(document(payment, 2), "payment.failed")
        await eventually(lambda: audited(database.app_url) == len(poison))  # those that nothing waits for
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

    worker, outcome = Worker(handle, Counts(), asyncio.Event()), Finished()
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
    async with consuming(broker, AUDIT, handle, counts):
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
    letters = RabbitDeadLetters(split(broker.url), [EVENTS])
    return await letters.redrive_all("audit.queue", lambda _, __: None, asyncio.Event())
