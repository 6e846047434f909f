"""Events of transfers and holds, from the transaction that tells of them to the audit trail, beside payments'."""

import json
from uuid import uuid4

import pytest

from app.contexts.funds.public import EVENTS, Part
from app.kernel.topology import Exchange, Queue
from app.main.local.roles import Urls
from app.platform.messaging.relay import Relay
from app.platform.postgres.outbox import PostgresOutbox
from app.platform.rabbitmq import topology
from app.platform.rabbitmq.publisher import RabbitPublisher
from tests.consumers.consuming import assert_chain, audit, audited, settled
from tests.funds.moving import Books, send_request
from tests.platform.outbox_fixtures import (
    Broker,
    broker,
    document,
    eventually,
    outbox_pool,
    query,
    remove_topology,
    running,
)
from tests.platform.publishing import publisher
from tests.platform.relaying import Often

__all__ = ["broker", "publisher"]

BEFORE = Exchange(
    EVENTS.name,
    (
        Queue("metrics.queue", "metrics.dlq", ("payment.*",)),
        Queue("audit.queue", "audit.dlq", ("payment.*", "refund.*")),
    ),
)
"""As the version before declared it."""


async def test_a_queue_from_before_gets_the_bindings_and_keeps_its_messages(
    broker: Broker, publisher: RabbitPublisher, books: Books, module_database: Urls
) -> None:
    await remove_topology(broker.channel)
    await topology.declare(broker.channel, BEFORE)
    before = [document(uuid4()) for _ in range(3)]
    for body in before:
        await broker.send(body)
    ada, bob = await books.user(100), await books.user()
    await books.send([send_request(ada, bob, 10)])
    hold = await books.hold(ada, 50)
    await books.desk.capture(hold, [Part(bob, 20)])
    async with outbox_pool(module_database.app_url) as pool:
        relay = Relay(PostgresOutbox(pool, "funds"), publisher, "a relay", Often())
        unsent = "SELECT count(*) FROM funds.outbox_events WHERE sent_at IS NULL"
        async with running(relay.run):
            await eventually(lambda: query(module_database.owner_url, unsent) == [(0,)])
    assert (await broker.depth("audit.queue"), await broker.depth("metrics.queue")) == (6, 3)
    messages = await broker.take("audit.queue")
    assert [message.body for message in messages[:3]] == before
    told = [json.loads(message.body or b"") for message in messages[3:]]
    assert sorted((each["type"], each["sequence"]) for each in told) == [
        ("hold.captured", 2), ("hold.placed", 1), ("transfer.completed", 1),
    ]  # fmt: skip
    assert [each["type"] for each in told if each["subject"] == str(hold.id)] == ["hold.placed", "hold.captured"]
    assert {(message.header.properties.headers or {}).get("tenant") for message in messages[3:]} == {
        str(each["data"].get("tenant_id", "00000000-0000-0000-0000-000000000001")) for each in told
    }


async def test_they_are_audited_in_the_one_chain(
    broker: Broker, publisher: RabbitPublisher, books: Books, module_database: Urls
) -> None:
    ada, bob = await books.user(100), await books.user()
    for _ in range(5):
        await books.send([send_request(ada, bob, 1)])
        await books.desk.release(await books.hold(ada, 5))
    before = audited(module_database.app_url)
    async with outbox_pool(module_database.app_url) as pool:
        relay = Relay(PostgresOutbox(pool, "funds"), publisher, "another relay", Often())
        async with running(relay.run), audit(broker, module_database.app_url):
            await eventually(lambda: audited(module_database.app_url) == before + 15)
            await eventually(lambda: settled(broker, "audit.queue"))
    assert_chain(module_database.app_url)
    kinds = "SELECT type, count(*) FROM audit.events GROUP BY type ORDER BY type"
    assert query(module_database.app_url, kinds) == [
        ("hold.placed", 5), ("hold.released", 5), ("transfer.completed", 5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "queues"),
    [
        ("payment.created", {"metrics.queue", "audit.queue"}),
        ("refund.created", {"audit.queue"}),
        ("transfer.completed", {"audit.queue"}),
        ("hold.placed", {"audit.queue"}),
        ("user.registered", set()),
    ],
)
def test_each_queue_takes_what_it_is_for(key: str, queues: set[str]) -> None:
    assert {queue.name for queue in EVENTS.queues if queue.takes(key)} == queues
