"""Replaying events straight into a queue: which, in which order, what a death in the middle leaves, how much memory."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from app.main.local.roles import Urls
from app.platform.messaging.replay import BATCH
from tests.platform.burying import Shell, actions
from tests.platform.outbox_fixtures import TYPES, Broker, clean_broker, document, eventually, query

OURS = "theirs.queue"
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
async def broker(rabbitmq_url: str) -> AsyncIterator[Broker]:
    """The contract's topology, and a queue of somebody else's."""
    async with clean_broker(rabbitmq_url) as broker:
        await broker.channel.queue_delete(OURS)
        await broker.channel.queue_declare(OURS, durable=True)
        yield broker
        await broker.channel.queue_delete(OURS)


@pytest.fixture
def shell(tmp_path: Path, database: Urls, rabbitmq_url: str) -> Shell:
    return Shell(tmp_path, DATABASE_URL=database.app_url, RABBITMQ_URL=rabbitmq_url)


def write(
    url: str, count: int, at: datetime = NOW - timedelta(hours=1), sequences: Sequence[int] = (1, 2), **more: object
) -> list[str]:
    """Sent events of so many payments, a second apart; their ids in the order in which they happened."""
    rows, ids = [], []
    for nth in range(count):
        payment_id = UUID(int=uuid4().int)
        for sequence in sequences:
            event_id, occurred_at = uuid4(), at + timedelta(milliseconds=nth, microseconds=sequence)
            body = document(payment_id, sequence, event_id, **more).decode()
            rows.append((payment_id, event_id, payment_id, sequence, TYPES[sequence], body, occurred_at, occurred_at))
            ids.append(str(event_id))
    with (
        psycopg.connect(url) as connection,
        connection.cursor() as cursor,
        cursor.copy(
            "COPY payments.outbox_events (user_id, event_id, subject, sequence, type, payload, partition, created_at,"
            " sent_at) FROM STDIN"
        ) as copy,
    ):
        for user_id, event_id, payment_id, sequence, kind, body, occurred_at, sent_at in rows:
            copy.write_row((user_id, event_id, payment_id, sequence, kind, body, 0, occurred_at, sent_at))
    return ids


def move_to_the_trail(database: Urls) -> None:
    """As the consumer has them when the outbox has forgotten them."""
    query(
        database.owner_url,
        "INSERT INTO audit.events"
        " (position, event_id, type, subject, sequence, occurred_at, payload, hash, previous_hash)"
        " SELECT row_number() OVER (), event_id, type, subject, sequence, created_at, payload,"
        " sha256(''), sha256('') FROM payments.outbox_events",
    )
    query(database.owner_url, "DELETE FROM payments.outbox_events WHERE sequence = 1")


async def taken(broker: Broker, queue: str = OURS) -> list[str]:
    return [str(message.header.properties.message_id) for message in await broker.take(queue)]


def since(hours: float) -> str:
    return (NOW - timedelta(hours=hours)).isoformat()


async def test_a_range_goes_into_the_one_queue_in_the_order_in_which_it_happened(
    broker: Broker, database: Urls, shell: Shell
) -> None:
    write(database.app_url, 3, NOW - timedelta(hours=3))
    ids = write(database.app_url, 700)
    query(database.app_url, "UPDATE payments.outbox_events SET sent_at = NULL WHERE event_id = %s", ids[-1])
    before = query(database.app_url, "SELECT * FROM payments.outbox_events ORDER BY id")
    replay = ("outbox", "replay", "--from", since(2), "--to-queue", OURS)
    dry = json.loads(await shell.run(*replay, "--dry-run", "--json"))
    assert (dry["events"], dry["by_type"]) == (1_399, {"payment.created": 700, "payment.failed": 699})
    assert await broker.depth(OURS) == 0
    assert actions(database) == []
    assert "1399 event(s) from" in await shell.run(*replay)
    messages = await broker.take(OURS)
    assert [message.header.properties.message_id for message in messages] == ids[:-1]
    assert json.loads(messages[0].body)["id"] == ids[0]
    assert {message.header.properties.content_type for message in messages} == {"application/cloudevents+json"}
    assert await broker.depth("audit.queue") == await broker.depth("metrics.queue") == 0
    assert query(database.app_url, "SELECT * FROM payments.outbox_events ORDER BY id") == before
    (began, ended) = actions(database)
    assert (began[0], began[1]["phase"], began[1]["queue"]) == ("outbox replay", "begins", OURS)
    assert (ended[1]["phase"], ended[1]["published"], ended[1]["stopped"]) == ("ended", 1_399, False)


async def test_a_contract_queue_gets_the_events_that_it_is_bound_for(
    broker: Broker, database: Urls, shell: Shell
) -> None:
    ids = write(database.app_url, 2, sequences=(1, 2, 3))
    for queue in ("metrics.queue", "audit.queue"):
        await shell.run("outbox", "replay", "--from", since(2), "--to-queue", queue)
    assert await taken(broker, "metrics.queue") == [ids[0], ids[1], ids[3], ids[4]]
    assert await taken(broker, "audit.queue") == ids


async def test_what_has_left_the_outbox_comes_from_the_audit_trail_and_nothing_twice(
    broker: Broker, database: Urls, shell: Shell
) -> None:
    """Of each payment the outbox still has the second event, the trail has both."""
    old = write(database.app_url, 40, NOW - timedelta(hours=40))
    move_to_the_trail(database)
    new = write(database.app_url, 10)
    await shell.run("outbox", "replay", "--from", since(48), "--to-queue", OURS)
    assert await taken(broker) == old + new
    query(database.owner_url, "REVOKE SELECT ON audit.events FROM strongbox_app")
    said = await shell.run("outbox", "replay", "--from", since(48), "--to-queue", OURS, code=1)
    assert "are too old for the outbox, and the audit trail cannot be read" in said
    assert (NOW - timedelta(hours=48)).strftime("%Y-%m-%d %H:%M") in said
    assert await taken(broker) == []
    await shell.run("outbox", "replay", "--from", since(2), "--to-queue", OURS)
    assert await taken(broker) == new


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to-queue", "no.queue"], "there is no queue no.queue"),
        (["--to-queue", "audit.dlq"], "audit.dlq is a dead-letter queue"),
        (["--to-queue", "metrics.queue", "--from", since(100)], "would count older events twice: --from"),
    ],
)
async def test_what_cannot_be_replayed_is_refused_and_leaves_no_trace(
    broker: Broker, database: Urls, shell: Shell, words: list[str], message: str
) -> None:
    assert message in await shell.run("outbox", "replay", "--from", since(2), *words, code=1)
    assert actions(database) == []


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_a_replay_that_is_ended_in_the_middle_is_done_again(
    broker: Broker, database: Urls, shell: Shell, end: signal.Signals
) -> None:
    ids = write(database.app_url, 6_000, sequences=(1,))
    words = ("outbox", "replay", "--from", since(2), "--to-queue", OURS)
    process = shell.start(*words)
    await eventually(lambda: has_some(broker))
    process.send_signal(end)
    out, err = await asyncio.to_thread(process.communicate, None, 300)
    assert process.returncode == (1 if end == signal.SIGTERM else -9), out + err
    first = await taken(broker)
    assert first == ids[: len(first)]
    assert len(first) < len(ids)
    if end == signal.SIGTERM:
        assert f"{len(first)} event(s)" in out
        words = ("outbox", "replay", "--from", err.split("--from ")[1].strip(), "--to-queue", OURS)
    await shell.run(*words)
    again = await taken(broker)
    if end == signal.SIGKILL:  # what was on its way to the broker then may have come behind the look: before all again
        first, again = first + again[: -len(ids)], again[-len(ids) :]
        assert first == ids[: len(first)]
    assert again == ids[-len(again) :]
    assert set(first) | set(again) == set(ids)
    assert [details["phase"] for _, details in actions(database)][:1] == ["begins"]


async def has_some(broker: Broker) -> bool:
    return await broker.depth(OURS) > 0


async def test_memory_does_not_grow_with_the_range(broker: Broker, database: Urls, shell: Shell) -> None:
    """Ten times the events, all in one answer of the database, take hardly more memory than a batch or two."""
    write(database.app_url, 2 * BATCH, sequences=(1,), note="x" * 2_000)
    few = await peak(shell)
    write(database.app_url, 16 * BATCH, sequences=(1,), note="x" * 2_000)
    assert await peak(shell) < 1.1 * few


async def peak(shell: Shell) -> int:
    """The most memory that a replay took, in KiB."""
    program = (
        # Not ru_maxrss: a process inherits that of the one that started it.
        "import sys; from app.main.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "finally: print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0], file=sys.stderr)"
    )
    words = ("outbox", "replay", "--from", since(2), "--to-queue", OURS)
    return int((await shell.run(*words, program=("-c", program))).split()[-1])


async def test_nothing_is_replayed_that_cannot_be_recorded(broker: Broker, database: Urls, shell: Shell) -> None:
    write(database.app_url, 1)
    query(database.owner_url, "REVOKE INSERT ON audit.actions FROM strongbox_app")
    said = await shell.run("outbox", "replay", "--from", since(2), "--to-queue", OURS, code=1)
    assert "nothing was done: not recorded in audit.actions" in said
    assert await broker.depth(OURS) == 0
