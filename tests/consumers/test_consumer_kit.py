"""A consumer of one's own, built on the kit: the example, as its user has it, on a real RabbitMQ and PostgreSQL."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest

from app.main.local.roles import Urls
from tests.consumers.a_consumer_of_ones_own import DEAD, EXAMPLES, QUEUE, USER, broker, is_deep, tables
from tests.platform.burying import Shell
from tests.platform.outbox_fixtures import Broker, document, eventually, query
from tests.system.crash.dialects import Amqp
from tests.system.crash.proxy import Proxy, Then

__all__ = ["broker", "tables"]

DAILY = "SELECT user_id, day::text, currency, payments, amount::bigint FROM spending.daily ORDER BY day, user_id"


def spent(amount: int, *, payment: UUID | None = None, day: str = "2026-01-02", user: UUID = USER) -> bytes:
    """An approved payment's last event, as the contract has it."""
    text = document(payment or uuid4(), 2, amount=amount, user_id=str(user), status="APPROVED", unknown=[{}])
    return text.replace(b"payment.failed", b"payment.completed").replace(b"2026-01-02", day.encode())


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
                child.wait(60)

    async def ended(self, *words: str, **change: str) -> tuple[int, str]:
        """Exit code and output of the example called so."""
        call = partial(subprocess.run, [sys.executable, "mine.py", *words], capture_output=True, text=True, check=False)
        done = await asyncio.to_thread(call, cwd=self.folder, env=self.environment | change, timeout=300)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def program(tmp_path: Path, tables: Urls, rabbitmq_url: str) -> Program:
    return Program(tmp_path, tables, rabbitmq_url)


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
        assert await asyncio.to_thread(child.wait, 120) == 0
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
            child.wait(60)
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
        await eventually(lambda: [row[1] for row in query(tables.app_url, DAILY)] == ["2026-01-03"])
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
