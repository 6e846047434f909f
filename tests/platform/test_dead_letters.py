"""Dead letters: looked at without a change of any kind, and without losing their order."""

import asyncio
import json
from uuid import uuid4

import pytest
from aiormq import spec

from app.contexts.payments.public import EVENTS
from app.kernel.errors import Unavailable
from app.platform.rabbitmq import dead_letters
from app.platform.rabbitmq.connection import split
from app.platform.rabbitmq.dead_letters import RabbitDeadLetters
from tests.platform.burying import DIED, Shell, bury, is_deep, left, shell
from tests.platform.outbox_fixtures import Broker, eventually

__all__ = ["shell"]


@pytest.mark.parametrize("window", [10_000, 100])
async def test_looking_again_and_again_loses_nothing_and_changes_no_order(broker: Broker, window: int) -> None:
    """With the small window the queue is longer than what can be seen."""
    ids = await bury(broker, 300)
    letters = RabbitDeadLetters(split(broker.url), [EVENTS], window)
    for _ in range(4):
        assert [letter.id for letter in await letters.look("audit.queue")] == ids[:window]
        await eventually(lambda: is_deep(broker, "audit.dlq", 300))
    assert await letters.counts(["metrics.queue", "audit.queue"]) == {"metrics.queue": 0, "audit.queue": 300}
    assert await left(broker, 300) == ids


async def test_all_who_look_at_once_see_everything(broker: Broker) -> None:
    """As several operators do, or one with several pages open. What one holds, no other sees."""
    ids = await bury(broker, 50)
    letters = RabbitDeadLetters(split(broker.url), [EVENTS])
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
        await RabbitDeadLetters(split(broker.url), [EVENTS]).look("größe.queue")


async def test_a_queue_with_a_delivery_limit_survives_more_looks_than_that(broker: Broker) -> None:
    """As RabbitMQ 4 has one of 20 by default, behind which it drops messages."""
    await broker.channel.queue_delete("audit.dlq")
    arguments: dict[str, object] = {"x-queue-type": "quorum", "x-delivery-limit": 20}
    await broker.channel.queue_declare("audit.dlq", durable=True, arguments=arguments)  # type: ignore[arg-type]
    ids = await bury(broker, 50)
    letters = RabbitDeadLetters(split(broker.url), [EVENTS])
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
    letters = RabbitDeadLetters(split(broker.url), [EVENTS])

    def die(*_: object) -> None:
        raise KeyError

    monkeypatch.setattr(dead_letters, "letter_of", die)
    with pytest.raises(KeyError):
        await letters.look("audit.queue")
    assert await left(broker, 200) == ids


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
    assert sorted(await left(broker, 3)) == sorted([first, second, third])
