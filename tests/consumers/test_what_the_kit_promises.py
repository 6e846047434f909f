"""What the kit promises a consumer of one's own: order, one effect, nothing half done."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from app.contexts.payments.public import EVENTS
from app.kernel.topology import Exchange, Queue
from app.main.contexts import load
from app.main.local.roles import Urls
from app.platform.messaging.inbox import Inbox, Once, keep_clean
from app.platform.messaging.inbox_database import Database
from app.platform.messaging.liveness import Liveness
from app.platform.messaging.worker import Counts
from app.platform.rabbitmq.connection import split
from app.platform.rabbitmq.consumer import Consumer
from consumers.examples import spending
from consumers.kit import Connection, Effect, Event
from consumers.kit.process import Process
from tests.consumers.a_consumer_of_ones_own import DEAD, QUEUE, USER, broker, is_deep, tables
from tests.platform.outbox_fixtures import Broker, document, eventually, query, running

__all__ = ["broker", "tables"]


@asynccontextmanager
async def consuming(broker: Broker, url: str, effect: Effect) -> AsyncIterator[None]:
    queue = Queue(QUEUE, DEAD, ("payment.*", "refund.created"), ordered=True)
    database = Database(url, "kit")
    handle = Once(database, queue, Inbox("spending.inbox"), effect)
    alive = asyncio.Event()  # the broker counts the one consumer only that gets the messages
    feeding = [Exchange(EVENTS.name, (queue,))]
    consumer = Consumer(split(broker.url), feeding, queue, handle, Counts(), alive.set)
    try:
        async with running(consumer.run):
            await eventually(alive.is_set)
            yield
    finally:
        await database.close()


async def test_of_several_processes_one_works_and_when_it_ends_the_next_keeps_the_order(
    broker: Broker, tables: Urls
) -> None:
    payments = [uuid4() for _ in range(50)]
    seen: list[tuple[str, UUID, int]] = []
    tried_in_vain = asyncio.Event()

    async def first(_: Connection, events: Sequence[Event]) -> None:
        if seen:
            tried_in_vain.set()
            raise ConnectionError("something that it needs is away")
        seen.extend(("first", one.subject, one.sequence) for one in events)

    async def second(_: Connection, events: Sequence[Event]) -> None:
        seen.extend(("second", one.subject, one.sequence) for one in events)

    async with AsyncExitStack() as both:
        working = await both.enter_async_context(AsyncExitStack())
        await working.enter_async_context(consuming(broker, tables.app_url, first))
        await both.enter_async_context(consuming(broker, tables.app_url, second))
        for sequence, kind in ((1, "payment.created"), (2, "payment.failed"), (3, "refund.created")):
            for payment in payments:
                await broker.send(document(payment, sequence), kind)
        await eventually(tried_in_vain.is_set)
        await working.aclose()
        await eventually(lambda: len(seen) == 150)
    assert [name for name, _, _ in seen] == sorted(name for name, _, _ in seen)
    assert seen[-1][0] == "second"
    assert [(subject, sequence) for _, subject, sequence in seen] == [
        (payment, sequence) for sequence in (1, 2, 3) for payment in payments
    ]


async def test_an_effect_that_fails_leaves_no_trace_and_the_payments_later_events_wait_for_it(
    broker: Broker, tables: Urls
) -> None:
    payment, other = uuid4(), uuid4()
    seen: list[tuple[UUID, int]] = []
    failures = 2

    async def effect(connection: Connection, events: Sequence[Event]) -> None:
        nonlocal failures
        await connection.execute(spending.ADD, (USER, "2026-01-02", "USD", len(events)))
        if any(one.subject == payment for one in events) and (failures or (other, 1) not in seen):
            failures -= len(events) == 1 and failures > 0
            raise KeyError("secret")
        seen.extend((one.subject, one.sequence) for one in events)

    with capture_logs() as logs:
        async with consuming(broker, tables.app_url, effect):
            for one, sequence, kind in (
                (payment, 1, "payment.created"),
                (payment, 2, "payment.failed"),
                (other, 1, "payment.created"),
            ):
                await broker.send(document(one, sequence), kind)
            await eventually(lambda: len(seen) == 3)
            await eventually(lambda: is_deep(broker, QUEUE, 0))
    assert [sequence for subject, sequence in seen if subject == payment] == [1, 2]
    assert seen[-1] == (payment, 2)
    assert query(tables.app_url, "SELECT sum(amount) FROM spending.daily") == [(3,)]
    assert {log["reason"] for log in logs if log["event"] == "message_stuck"} == {"KeyError"}
    assert "secret" not in str(logs)


@pytest.mark.parametrize(
    "so_that",
    [
        "REVOKE DELETE ON spending.inbox FROM strongbox_app",
        "INSERT INTO spending.inbox VALUES (gen_random_uuid(), now() - interval '73 h');"
        " CREATE TABLE spending.receipts AS SELECT event_id FROM spending.inbox;"
        " ALTER TABLE spending.receipts ADD FOREIGN KEY (event_id) REFERENCES spending.inbox",
    ],
    ids=["no right to delete", "a table that refers to it"],
)
async def test_an_inbox_that_cannot_be_cleaned_up_is_told_of(rabbitmq_url: str, tables: Urls, so_that: str) -> None:
    query(tables.owner_url, so_that)
    settings = load({"DATABASE_URL": tables.app_url, "RABBITMQ_URL": rabbitmq_url})
    process = Process("kit", settings, split(rabbitmq_url), Liveness("kit"))
    with capture_logs() as logs:
        async with process.database() as database:
            cleaning = asyncio.create_task(keep_clean(Inbox("spending.inbox"), database, 24, process.stop))
            await eventually(lambda: any(log["event"] == "inbox_not_cleaned_up" for log in logs))
            process.stop.set()
            await cleaning
