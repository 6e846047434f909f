"""A consumer of one's own, built on the kit: the example, as its user has it, on a real RabbitMQ and PostgreSQL."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from app.adapters.rabbitmq import topology
from app.adapters.rabbitmq.connection import split
from app.main.local.roles import Urls
from app.main.settings import load
from consumers.examples import spending
from consumers.kit import Connection, Effect, Event
from consumers.kit.consumer import Consumer
from consumers.kit.database import Database
from consumers.kit.inbox import Inbox, Once
from consumers.kit.liveness import Liveness
from consumers.kit.process import Process
from consumers.kit.worker import Counts
from tests.crash.dialects import Amqp
from tests.crash.proxy import Proxy, Then
from tests.integration.outbox_fixtures import Broker, clean_broker, document, eventually, query, running
from tests.integration.test_dead_letters import Shell

EXAMPLES = Path(spending.__file__).parent
QUEUE, DEAD = "spending.queue", "spending.dlq"
DAILY = "SELECT user_id, day::text, currency, payments, amount::bigint FROM spending.daily ORDER BY day, user_id"
USER = UUID(int=7)


def spent(amount: int, *, payment: UUID | None = None, day: str = "2026-01-02", user: UUID = USER) -> bytes:
    """An approved payment's last event, as the contract has it."""
    text = document(payment or uuid4(), 2, amount=amount, user_id=str(user), status="APPROVED", unknown=[{}])
    return text.replace(b"payment.failed", b"payment.completed").replace(b"2026-01-02", day.encode())


@pytest.fixture
async def broker(rabbitmq_url: str) -> AsyncIterator[Broker]:
    async with clean_broker(rabbitmq_url) as broker:
        for queue in (QUEUE, DEAD):
            await broker.channel.queue_delete(queue)
        yield broker


@pytest.fixture
def tables(database: Urls) -> Urls:
    """A database with the example's tables, made from its file."""
    query(database.owner_url, (EXAMPLES / "spending.sql").read_text())
    return database


class Program:
    """The example in a folder of its user's, somewhere else than the project."""

    def __init__(self, folder: Path, tables: Urls, rabbitmq_url: str) -> None:
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": tables.app_url,
            "RABBITMQ_URL": rabbitmq_url,
            "HEARTBEAT_DIR": str(folder),
        }
        (folder / "mine.py").write_text((EXAMPLES / "spending.py").read_text())

    @contextmanager
    def running(self, **change: str) -> "Iterator[subprocess.Popen[bytes]]":
        with (self.folder / "log").open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "mine.py"], env=self.environment | change, cwd=self.folder, stdout=log, stderr=log
            )
            try:
                yield child
            finally:
                child.kill()
                child.wait(10)

    async def ended(self, *words: str, **change: str) -> tuple[int, str]:
        """Exit code and output of the example called so."""
        call = partial(subprocess.run, [sys.executable, "mine.py", *words], capture_output=True, text=True, check=False)
        done = await asyncio.to_thread(call, cwd=self.folder, env=self.environment | change, timeout=30)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def program(tmp_path: Path, tables: Urls, rabbitmq_url: str) -> Program:
    return Program(tmp_path, tables, rabbitmq_url)


async def is_deep(broker: Broker, queue: str, count: int) -> bool:
    return await broker.depth(queue) == count


async def is_consumed(broker: Broker) -> bool:
    return await broker.consumers(QUEUE) == 1


# The example, as a program


async def test_the_example_counts_each_payment_once_and_leaves_the_rest_alone(
    broker: Broker, tables: Urls, program: Program
) -> None:
    query(tables.app_url, "INSERT INTO spending.inbox VALUES (gen_random_uuid(), now() - interval '73 h')")
    assert (await program.ended("--check"))[0] == 1
    with program.running() as child:
        await eventually(lambda: is_consumed(broker))
        bodies = [spent(5), spent(7), spent(1, day="2026-01-03")]
        for body in [*bodies, *bodies, document(uuid4(), 1, amount=99, user_id=str(USER))]:
            await broker.send(body, "payment.completed" if b"completed" in body else "payment.created")
        # As a replay does, which sends a queue that is not of the contract every event:
        for body in (document(uuid4(), 1), document(uuid4(), 3), document(uuid4()).replace(b".created", b".disputed")):
            await broker.channel.basic_publish(body, routing_key=QUEUE)
        await broker.send(spent(11), "payment.completed")
        await eventually(lambda: query(tables.app_url, "SELECT sum(payments) FROM spending.daily") == [(4,)])
        assert (await program.ended("--check"))[0] == 0
        child.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(child.wait, 15) == 0
    assert query(tables.app_url, DAILY) == [(USER, "2026-01-02", "USD", 3, 23), (USER, "2026-01-03", "USD", 1, 1)]
    assert query(tables.app_url, "SELECT count(*) FROM spending.inbox") == [(4,)]
    assert [await broker.depth(queue) for queue in (QUEUE, DEAD)] == [0, 0]
    assert "Traceback" not in (program.folder / "log").read_text()


async def test_killed_between_the_commit_and_the_ack_it_has_had_one_effect(
    broker: Broker, tables: Urls, program: Program
) -> None:
    proxy = Proxy(urlsplit(broker.url).port or 5672, Amqp)
    url = broker.url.replace(urlsplit(broker.url).netloc.rpartition("@")[2], f"127.0.0.1:{proxy.port}")
    try:
        with proxy.trap("ack", Then.HOLD) as acking, program.running(RABBITMQ_URL=url) as child:
            await eventually(lambda: is_consumed(broker))
            await broker.send(spent(5), "payment.completed")
            await asyncio.to_thread(acking.wait)
            child.kill()
            child.wait(10)
            acking.drop()
        assert query(tables.app_url, DAILY) == [(USER, "2026-01-02", "USD", 1, 5)]
        await eventually(lambda: is_deep(broker, QUEUE, 1))  # it was not acknowledged
        with program.running():
            await broker.send(spent(2), "payment.completed")
            await eventually(lambda: query(tables.app_url, DAILY) == [(USER, "2026-01-02", "USD", 2, 7)])
            await eventually(lambda: is_deep(broker, QUEUE, 0))
        assert query(tables.app_url, DAILY) == [(USER, "2026-01-02", "USD", 2, 7)]
    finally:
        proxy.close()


async def test_what_it_gives_up_is_listed_and_put_back_by_the_operators_commands(
    broker: Broker, tables: Urls, program: Program, tmp_path: Path
) -> None:
    shell = Shell(tmp_path, DATABASE_URL=tables.app_url, RABBITMQ_URL=broker.url)
    assert "there is no queue spending.dlq" in await shell.run("dlq", "ls", "--queue", QUEUE, code=1)
    query(tables.owner_url, "ALTER TABLE spending.daily ADD CONSTRAINT not_now CHECK (amount <> 66)")
    with program.running():
        await eventually(lambda: is_consumed(broker))
        for body in (b"no event", spent(66), spent(1, day="2026-01-03")):
            await broker.send(body, "payment.completed")
        await eventually(lambda: is_deep(broker, DEAD, 2))
        assert [row[1] for row in query(tables.app_url, DAILY)] == ["2026-01-03"]
        said = await shell.run("dlq", "ls", "--queue", QUEUE)
        assert "spending.queue: 2 dead letter(s)" in said
        assert "CheckViolation 23514" in said
        query(tables.owner_url, "ALTER TABLE spending.daily DROP CONSTRAINT not_now")
        assert "2 put back into spending.queue" in await shell.run("dlq", "redrive", "--all", "--queue", QUEUE)
        await eventually(lambda: [row[4] for row in query(tables.app_url, DAILY)] == [66, 1])
        await eventually(lambda: is_deep(broker, DEAD, 1))
    ((left,),) = [page["messages"] for page in json.loads(await shell.run("dlq", "ls", "--queue", QUEUE, "--json"))]
    assert left["reason"].startswith("malformed: JSON is malformed")
    await shell.run("dlq", "drop", left["id"], "--yes", "--queue", QUEUE)
    assert await broker.depth(DEAD) == 0
    assert "there is no queue spendig" in await shell.run("dlq", "redrive", "--all", "--queue", "spendig.queue", code=1)


async def test_a_wrong_start_is_named(program: Program) -> None:
    for change, message in (
        ({"RABBITMQ_URL": ""}, "RABBITMQ_URL is not set"),
        ({"DATABASE_URL": ""}, "DATABASE_URL (or AUDIT_DATABASE_URL) is not set"),
    ):
        code, said = await program.ended(**change)
        assert (code, message in said) == (2, True), said
    code, said = await program.ended("--help")
    assert (code, "Consume spending.queue until told to stop" in said) == (0, True), said


# What the kit promises


@asynccontextmanager
async def consuming(broker: Broker, url: str, effect: Effect) -> AsyncIterator[None]:
    queue = topology.Queue(QUEUE, DEAD, ("payment.*", "refund.created"), ordered=True)
    database = Database(url, "kit")
    handle = Once(database, queue, Inbox("spending.inbox"), effect)
    alive = asyncio.Event()  # the broker counts the one consumer only that gets the messages
    consumer = Consumer(split(broker.url), queue, handle, Counts(), alive.set)
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
        if failures and any(one.subject == payment for one in events):
            failures -= len(events) == 1
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
            cleaning = asyncio.create_task(process._clean_up(Inbox("spending.inbox"), database))
            await eventually(lambda: any(log["event"] == "inbox_not_cleaned_up" for log in logs))
            process.stop.set()
            await cleaning
