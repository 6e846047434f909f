"""Dead letters: looked at without a change, put back, dropped; whatever dies, none is lost."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from aiormq import spec
from pamqp.common import FieldTable

from app.adapters.rabbitmq import dead_letters, taking
from app.adapters.rabbitmq.connection import split
from app.adapters.rabbitmq.dead_letters import RabbitDeadLetters
from app.application.ports import Unavailable
from app.main.local.roles import Urls
from tests.integration.outbox_fixtures import Broker, clean_broker, eventually, query

PROJECT = Path(__file__).parents[2]
DIED: FieldTable = {
    "x-death-reason": "CheckViolation 23514",
    "x-death-at": "2026-01-02T03:04:05.678+00:00",
    "x-death-attempts": 4,
}


@pytest.fixture
async def broker(rabbitmq_url: str) -> AsyncIterator[Broker]:
    async with clean_broker(rabbitmq_url) as broker:
        yield broker


async def bury(broker: Broker, count: int, queue: str = "audit.dlq") -> list[str]:
    """Put so many dead letters there; their ids."""
    ids = [str(uuid4()) for _ in range(count)]
    for start in range(0, count, 500):
        await asyncio.gather(
            *(
                broker.channel.basic_publish(
                    f"body of {letter_id}".encode(),
                    routing_key=queue,
                    properties=spec.Basic.Properties(
                        message_id=letter_id, message_type="payment.created", headers=dict(DIED), delivery_mode=2
                    ),
                )
                for letter_id in ids[start : start + 500]
            )
        )
    await eventually(lambda: is_deep(broker, queue, count))
    return ids


async def is_deep(broker: Broker, queue: str, count: int) -> bool:
    return await broker.depth(queue) == count


async def taken(broker: Broker, queue: str) -> list[str]:
    return [str(message.header.properties.message_id) for message in await broker.take(queue)]


class Shell:
    """Runs `strongbox` commands with these settings."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), **settings}

    def start(self, *words: str, program: Sequence[str] = ("-m", "app")) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, *program, *words], cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    async def run(self, *words: str, code: int = 0, program: Sequence[str] = ("-m", "app")) -> str:
        """What the command prints, once it has ended as expected."""
        process = self.start(*words, program=program)
        out, err = await asyncio.to_thread(process.communicate, None, 60)
        assert process.returncode == code, f"{words} exited {process.returncode}: {out}{err}"
        return out + err


@pytest.fixture
def shell(tmp_path: Path, database: Urls, rabbitmq_url: str) -> Shell:
    return Shell(tmp_path, DATABASE_URL=database.app_url, RABBITMQ_URL=rabbitmq_url)


def actions(database: Urls) -> list[tuple[str, dict[str, object]]]:
    return query(database.app_url, "SELECT action, details FROM audit.actions ORDER BY id")


# Looking


@pytest.mark.parametrize("window", [10_000, 100])
async def test_looking_again_and_again_loses_nothing_and_changes_no_order(broker: Broker, window: int) -> None:
    """With the small window the queue is longer than what can be seen."""
    ids = await bury(broker, 300)
    letters = RabbitDeadLetters(split(broker.url), window)
    for _ in range(4):
        assert [letter.id for letter in await letters.look("audit.queue")] == ids[:window]
        await eventually(lambda: is_deep(broker, "audit.dlq", 300))
    assert await letters.counts(["metrics.queue", "audit.queue"]) == {"metrics.queue": 0, "audit.queue": 300}
    assert await taken(broker, "audit.dlq") == ids


async def test_all_who_look_at_once_see_everything(broker: Broker) -> None:
    """As several operators do, or one with several pages open. What one holds, no other sees."""
    ids = await bury(broker, 50)
    letters = RabbitDeadLetters(split(broker.url))
    for _ in range(3):
        seen = await asyncio.gather(*(letters.look("audit.queue") for _ in range(6)))
        assert [[letter.id for letter in each] for each in seen] == [ids] * 6
    one, counts = await asyncio.gather(letters.look("audit.queue"), letters.counts(["audit.queue"]))
    assert (len(one), counts) == (50, {"audit.queue": 50})
    _, moved = await asyncio.gather(
        letters.look("audit.queue"), letters.redrive_all("audit.queue", lambda _, __: None, asyncio.Event())
    )
    assert moved == 50


async def test_a_name_that_the_library_does_not_take_is_no_bug(broker: Broker) -> None:
    with pytest.raises(Unavailable, match=r"'größe\.dlq' is not a name"):
        await RabbitDeadLetters(split(broker.url)).look("größe.queue")


async def test_a_queue_with_a_delivery_limit_survives_more_looks_than_that(broker: Broker) -> None:
    """As RabbitMQ 4 has one of 20 by default, behind which it drops messages."""
    await broker.channel.queue_delete("audit.dlq")
    arguments: dict[str, object] = {"x-queue-type": "quorum", "x-delivery-limit": 20}
    await broker.channel.queue_declare("audit.dlq", durable=True, arguments=arguments)  # type: ignore[arg-type]
    ids = await bury(broker, 50)
    letters = RabbitDeadLetters(split(broker.url))
    for _ in range(2 * 20 + 3):
        assert [letter.id for letter in await letters.look("audit.queue")] == ids
        await eventually(lambda: is_deep(broker, "audit.dlq", 50))
    found = await letters.look("audit.queue")
    assert {(letter.reason, letter.attempts, letter.body) for letter in found} == {
        (DIED["x-death-reason"], 4, f"body of {letter_id}".encode()) for letter_id in ids
    }


async def test_a_look_that_is_broken_off_gives_everything_back_in_its_order(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As kill -9 leaves it: the connection is gone with the messages in hand."""
    ids = await bury(broker, 200)
    letters = RabbitDeadLetters(split(broker.url))

    def die(*_: object) -> None:
        raise KeyError

    monkeypatch.setattr(dead_letters, "letter_of", die)
    with pytest.raises(KeyError):
        await letters.look("audit.queue")
    await eventually(lambda: is_deep(broker, "audit.dlq", 200))
    assert await taken(broker, "audit.dlq") == ids


async def test_ls_and_show_tell_what_died_of_what(broker: Broker, shell: Shell) -> None:
    first, second, third = await bury(broker, 3)
    nameless = spec.Basic.Properties(message_id="x", headers={"x-death": [{"reason": "delivery_limit", "count": 50}]})
    await broker.channel.basic_publish(b"\x1b[2J", routing_key="metrics.dlq", properties=nameless)
    said = await shell.run("dlq", "ls")
    assert "audit.queue: 3 dead letter(s)" in said
    assert f"2026-01-02 03:04:05.678Z  {first}  payment.created         4  CheckViolation 23514" in said
    assert "by the broker: delivery_limit" in said
    page = json.loads(await shell.run("dlq", "ls", "--queue", "audit.queue", "--skip", "1", "--limit", "1", "--json"))
    assert [(queue["count"], [message["id"] for message in queue["messages"]]) for queue in page] == [(3, [second])]
    shown = await shell.run("dlq", "show", third)
    assert f"body of {third}" in shown
    (nameless_id,) = [word for word in said.split() if word.startswith("body-")]
    assert "\x1b" not in await shell.run("dlq", "show", nameless_id)
    missing = await shell.run("dlq", "show", str(uuid4()), code=1)
    assert "Error: there is no dead letter" in missing
    assert sorted(await taken(broker, "audit.dlq")) == sorted([first, second, third])


# Putting back


async def test_chosen_ones_go_back_and_the_others_keep_their_places(
    broker: Broker, shell: Shell, database: Urls
) -> None:
    ids = await bury(broker, 60)
    chosen, unknown = [ids[40], ids[3]], str(uuid4())
    said = await shell.run("dlq", "redrive", *chosen)
    assert said == "0 put back into metrics.queue\n2 put back into audit.queue\n"
    assert "there is no dead letter" in await shell.run("dlq", "redrive", unknown, ids[5], code=1)
    back = await broker.take("audit.queue")
    assert [m.header.properties.message_id for m in back] == [ids[3], ids[40], ids[5]]
    assert not any(name.startswith("x-death") for m in back for name in m.header.properties.headers or {})
    gone = {ids[3], ids[5], ids[40]}
    assert await taken(broker, "audit.dlq") == [letter_id for letter_id in ids if letter_id not in gone]
    assert "give IDs, or --all" in await shell.run("dlq", "redrive", code=2)
    (began, ended, *_) = actions(database)
    assert (began[0], began[1]["phase"], began[1]["messages"]) == ("dlq redrive", "begins", sorted(chosen))
    assert (ended[1]["phase"], ended[1]["redriven"]) == ("ended", {"metrics.queue": 0, "audit.queue": 2})


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_a_redrive_that_is_ended_in_the_middle_loses_nothing(
    broker: Broker, shell: Shell, database: Urls, end: signal.Signals
) -> None:
    ids = await bury(broker, 1_500)
    process = shell.start("dlq", "redrive", "--all", "--queue", "audit.queue")
    await eventually(lambda: has_some(broker))
    process.send_signal(end)
    out, err = await asyncio.to_thread(process.communicate, None, 30)
    assert process.returncode == (1 if end == signal.SIGTERM else -9), out + err
    # What was in hand is given back some moments later.
    await eventually(lambda: all_there(broker, len(ids)))
    assert 0 < await broker.depth("audit.queue") < len(ids)
    left = await broker.depth("audit.dlq")
    assert await shell.run("dlq", "redrive", "--all", "--queue", "audit.queue") == f"{left} put back into audit.queue\n"
    back = await taken(broker, "audit.queue")
    assert set(back) == set(ids)
    assert len(back) - len(ids) <= taking.BATCH
    first, *others = actions(database)
    assert first[1]["phase"] == "begins"
    stopped = [details.get("stopped") for _, details in others]
    assert stopped == ([True, None, False] if end == signal.SIGTERM else [None, False])


async def has_some(broker: Broker) -> bool:
    return await broker.depth("audit.queue") > 0


async def all_there(broker: Broker, count: int) -> bool:
    return await broker.depth("audit.queue") + await broker.depth("audit.dlq") >= count


async def test_nothing_is_put_back_or_dropped_that_cannot_be_recorded(
    broker: Broker, shell: Shell, database: Urls
) -> None:
    (one,) = await bury(broker, 1)
    query(database.owner_url, "REVOKE INSERT ON audit.actions FROM strongbox_app")
    for words in (["redrive", "--all"], ["redrive", one], ["drop", one, "--yes"]):
        assert "nothing was done: not recorded in audit.actions" in await shell.run("dlq", *words, code=1)
    assert await taken(broker, "audit.dlq") == [one]


# Dropping


async def test_a_dropped_letter_is_gone_and_recorded(broker: Broker, shell: Shell, database: Urls) -> None:
    first, second = await bury(broker, 2)
    assert "drop it for good?" in await shell.run("dlq", "drop", first, code=1)  # nobody is there to say yes
    assert actions(database) == []
    assert await shell.run("dlq", "drop", first, "--yes") == f"dropped {first} of audit.queue\n"
    assert "there is no dead letter" in await shell.run("dlq", "drop", first, "--yes", code=1)
    await eventually(lambda: is_deep(broker, "audit.dlq", 1))
    assert await taken(broker, "audit.dlq") == [second]
    (began, ended) = actions(database)
    assert (began[0], began[1]["messages"], began[1]["reason"]) == ("dlq drop", [first], DIED["x-death-reason"])
    assert ended[1]["dropped"] == 1


async def test_a_letter_that_two_consumers_gave_up_is_dropped_only_where_it_is_said(
    broker: Broker, shell: Shell
) -> None:
    properties = spec.Basic.Properties(message_id=str(uuid4()))
    for queue in ("audit.dlq", "metrics.dlq"):
        await broker.channel.basic_publish(b"{}", routing_key=queue, properties=properties)
    one = str(properties.message_id)
    assert "--queue" in await shell.run("dlq", "drop", one, "--yes", code=2)
    await shell.run("dlq", "drop", one, "--yes", "--queue", "metrics.queue")
    assert await taken(broker, "audit.dlq") == [one]
    assert await broker.depth("metrics.dlq") == 0


async def test_a_broker_that_is_away_or_not_given_is_named(tmp_path: Path, database: Urls) -> None:
    away = Shell(tmp_path, DATABASE_URL=database.app_url, RABBITMQ_URL="amqp://guest:secret@127.0.0.1:1/")
    said = await away.run("dlq", "ls", code=1)
    assert said.startswith("Error: RabbitMQ: 127.0.0.1:1")
    assert "secret" not in said
    unset = Shell(tmp_path, DATABASE_URL=database.app_url)
    assert "RABBITMQ_URL is not set" in await unset.run("dlq", "ls", code=2)
