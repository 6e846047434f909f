"""What the consumer kit refuses: names, bindings, data of another shape; and how it gives up many messages at once."""

import asyncio
from collections.abc import Sequence
from typing import Any, Literal, cast
from uuid import UUID, uuid4

import msgspec
import pytest
from aiormq import spec

from app.contexts.payments.public import EVENTS
from app.platform.messaging.received_events import event
from app.platform.messaging.worker import Counts, Delivery, Finished
from app.platform.rabbitmq.connection import BrokerConnection
from app.platform.rabbitmq.consumer import Consumer, _Session
from consumers.examples import spending
from consumers.kit import Malformed, consume
from tests.platform.outbox_fixtures import document

AUDIT = EVENTS.queue("audit.queue")


class Payment(msgspec.Struct):
    status: Literal["APPROVED", "DECLINED"]
    amount: int


@pytest.mark.parametrize(
    ("name", "bindings", "message"),
    [
        ("Spending", ["payment.*"], "'Spending' is not a consumer's name"),
        ("audit", ["payment.*"], "audit.queue has its consumer"),
        ("mine", [], "mine.queue needs the bindings"),
        ("mine", ["payment.#"], "'payment.#' is not a binding"),
        ("mine", "payment.*", "mine.queue needs the bindings"),
    ],
)
def test_a_wrong_name_or_binding_is_refused(name: str, bindings: Sequence[str], message: str) -> None:
    with pytest.raises(ValueError, match="^" + message.replace("*", r"\*").replace(".", r"\.")):
        consume(name, bindings, spending.add, inbox="x")


@pytest.mark.parametrize(
    ("data", "shape", "reason"),
    [
        (b"{}", Payment, "data: Object missing required field `status`"),
        (b'{"status": "a secret", "amount": 1}', Payment, "data: Invalid enum value … - at `$.status`"),
        (b'{"status": "APPROVED", "amount": "secret"}', Payment, "data: Expected `int`, got `str` - at `$.amount`"),
        (b"[]", dict, "data: Expected `object`, got `array`"),
        (b"null", UUID, "data: Expected `uuid`, got `null`"),
    ],
)
def test_data_of_another_shape_is_malformed_and_not_quoted(data: bytes, shape: type[object], reason: str) -> None:
    found = event(document(uuid4()))
    with pytest.raises(Malformed) as told:
        msgspec.structs.replace(found, data=msgspec.Raw(data)).data_as(shape)
    assert str(told.value) == reason


class Message:
    """What a broker has delivered."""

    def details(self) -> tuple[spec.Basic.Deliver, spec.Basic.Properties]:
        return spec.Basic.Deliver(), spec.Basic.Properties()


class Channel:
    """It confirms what it is given once it has so many: a broker that is far away confirms many as soon as one."""

    def __init__(self, many: int) -> None:
        self._many = many
        self._all_there = asyncio.Event()
        self.published: list[bytes] = []
        self.acknowledged: list[tuple[int, bool]] = []

    async def basic_publish(self, body: bytes, **_: Any) -> None:
        self.published.append(body)
        if len(self.published) == self._many:
            self._all_there.set()
        await self._all_there.wait()

    async def basic_ack(self, tag: int, multiple: bool = False) -> None:
        assert self._all_there.is_set(), "acknowledged before it was confirmed"
        self.acknowledged.append((tag, multiple))


async def test_dead_letters_are_confirmed_together_however_many_there_are() -> None:
    """One after the other they take longer than a broker is given: then none is acknowledged, and all come again."""

    async def handle(_: Sequence[bytes]) -> None:
        raise AssertionError

    session = _Session(cast("BrokerConnection", None), Consumer([], [], AUDIT, handle, Counts(), lambda: None))
    letters = [Delivery(tag, b"%d" % tag, Message(), attempts=4) for tag in range(1, 801)]
    session._held.update({letter.tag: letter for letter in letters})
    channel = session._channel = cast("Any", Channel(len(letters)))
    await session._settle(Finished(dead=[(letter, "KeyError") for letter in letters]))
    assert channel.published == [letter.body for letter in letters]
    assert channel.acknowledged == [(800, True)]
