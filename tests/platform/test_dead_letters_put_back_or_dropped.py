"""Dead letters: put back or dropped on record; whatever dies meanwhile, none is lost."""

import asyncio
import signal
from pathlib import Path
from uuid import uuid4

import pytest
from aiormq import spec

from app.main.local.roles import Urls
from app.platform.rabbitmq import taking
from tests.platform.burying import DIED, Shell, actions, bury, is_deep, left, shell, taken
from tests.platform.outbox_fixtures import Broker, eventually, query

__all__ = ["shell"]


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
    assert await left(broker, 57) == [letter_id for letter_id in ids if letter_id not in gone]
    assert "give IDs, or --all" in await shell.run("dlq", "redrive", code=2)
    (began, ended, *_) = actions(database)
    assert (began[0], began[1]["phase"], began[1]["messages"]) == ("dlq redrive", "begins", sorted(chosen))
    assert (ended[1]["phase"], ended[1]["redriven"]) == ("ended", {"metrics.queue": 0, "audit.queue": 2})


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_a_redrive_that_is_ended_in_the_middle_loses_nothing(
    broker: Broker, shell: Shell, database: Urls, end: signal.Signals
) -> None:
    ids = await bury(broker, 2_500)
    process = shell.start("dlq", "redrive", "--all", "--queue", "audit.queue")
    await eventually(lambda: has_some(broker))
    process.send_signal(end)
    out, err = await asyncio.to_thread(process.communicate, None, 300)
    assert process.returncode == (1 if end == signal.SIGTERM else -9), out + err
    # What was in hand is given back some moments later.
    await eventually(lambda: all_there(broker, len(ids)))
    assert 0 < await broker.depth("audit.queue") < len(ids)
    before = await broker.depth("audit.queue")
    said = await shell.run("dlq", "redrive", "--all", "--queue", "audit.queue")
    back = await taken(broker, "audit.queue")
    assert said == f"{len(back) - before} put back into audit.queue\n"
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
    assert await left(broker, 1) == [one]


# Dropping


async def test_a_dropped_letter_is_gone_and_recorded(broker: Broker, shell: Shell, database: Urls) -> None:
    first, second = await bury(broker, 2)
    assert "drop it for good?" in await shell.run("dlq", "drop", first, code=1)  # nobody is there to say yes
    assert actions(database) == []
    assert await shell.run("dlq", "drop", first, "--yes") == f"dropped {first} of audit.queue\n"
    assert "there is no dead letter" in await shell.run("dlq", "drop", first, "--yes", code=1)
    assert await left(broker, 1) == [second]
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
    assert await left(broker, 1) == [one]
    await eventually(lambda: is_deep(broker, "metrics.dlq", 0))


async def test_a_broker_that_is_away_or_not_given_is_named(tmp_path: Path, database: Urls) -> None:
    away = Shell(tmp_path, DATABASE_URL=database.app_url, RABBITMQ_URL="amqp://guest:secret@127.0.0.1:1/")
    said = await away.run("dlq", "ls", code=1)
    assert said.startswith("Error: RabbitMQ: 127.0.0.1:1")
    assert "secret" not in said
    unset = Shell(tmp_path, DATABASE_URL=database.app_url)
    assert "RABBITMQ_URL is not set" in await unset.run("dlq", "ls", code=2)
