"""Deliveries are found in whatever pieces the bytes come, and all else goes on as it came."""

import asyncio
import time
from collections.abc import Sequence

import pamqp.frame
from aiormq import spec
from aiormq.abc import FrameType
from hypothesis import given
from hypothesis import strategies as st
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from app.platform.rabbitmq.deliveries import HEARTBEAT, MAX_MESSAGE_BYTES, Delivered, Deliveries

FRAME_MAX = 64


def frame(value: FrameType, channel: int = 1) -> bytes:
    return pamqp.frame.marshal(value, channel)


def content(body: bytes, channel: int = 1) -> list[bytes]:
    properties = spec.Basic.Properties(message_id="an id", headers={"a": "b"})
    parts = [body[start : start + FRAME_MAX] for start in range(0, len(body), FRAME_MAX)]
    return [
        frame(ContentHeader(0, len(body), properties), channel),
        *(frame(ContentBody(part), channel) for part in parts),
    ]


def delivery(tag: int, body: bytes, channel: int = 1) -> list[bytes]:
    method = spec.Basic.Deliver(consumer_tag=f"ctag{tag}", delivery_tag=tag, exchange="e", routing_key="r")
    return [frame(method, channel), *content(body, channel)]


def returned(body: bytes) -> list[bytes]:
    method = spec.Basic.Return(reply_code=312, reply_text="NO_ROUTE", exchange="e", routing_key="r")
    return [frame(method), *content(body)]


async def fed(pieces: Sequence[bytes]) -> tuple[list[Delivered], bytes]:
    """What the sink of channel 1 got, and what went on, without the heartbeats that were put in."""
    taken: list[Delivered] = []
    others: list[bytes] = []
    deliveries = Deliveries(others.append)
    deliveries.give(1, taken.extend)
    for piece in pieces:
        deliveries.feed(piece)
    return taken, b"".join(others).replace(HEARTBEAT, b"")


@given(
    bodies=st.lists(st.binary(max_size=200), max_size=6),
    piece=st.integers(min_value=1, max_value=300),
)
def test_every_message_is_found_whole_and_in_order(bodies: list[bytes], piece: int) -> None:
    others = [frame(spec.Basic.QosOk()), *returned(b"nobody's"), frame(spec.Basic.Ack(delivery_tag=1))]
    stream = b"".join(
        [b"".join(delivery(tag, body)) + others[tag % len(others)] for tag, body in enumerate(bodies)] + others
    )
    passed = b"".join([others[tag % len(others)] for tag in range(len(bodies))] + others)
    pieces = [stream[start : start + piece] for start in range(0, len(stream), piece)]

    taken, rest = asyncio.run(fed(pieces))

    assert [(message.tag, message.body) for message in taken] == list(enumerate(bodies))
    assert rest == passed


async def test_of_a_message_that_is_too_large_the_body_is_not_kept() -> None:
    room = MAX_MESSAGE_BYTES - len(delivery(1, b"")[1])  # its properties count, too
    fits, not_quite = b"x" * room, b"y" * (room + 1)

    taken, rest = await fed([*delivery(1, fits), *delivery(2, not_quite), *delivery(3, b"z")])

    assert [(message.tag, message.body, message.is_too_large) for message in taken] == [
        (1, fits, False),
        (2, b"", True),
        (3, b"z", False),
    ]
    assert taken[1].details()[1].message_id == "an id"
    assert rest == b""


async def test_frames_of_other_channels_may_stand_between_those_of_a_message() -> None:
    first, second = delivery(1, b"x" * 100), delivery(2, b"y" * 100, channel=2)
    mixed = [piece for pair in zip(first, second, strict=True) for piece in pair]

    taken, rest = await fed(mixed)

    assert [(message.tag, message.body) for message in taken] == [(1, b"x" * 100)]
    assert rest == b"".join(second), "a channel without a sink is aiormq's"


async def test_what_was_read_at_once_is_given_at_once() -> None:
    given: list[Sequence[Delivered]] = []
    deliveries = Deliveries(lambda _: None)
    deliveries.give(1, given.append)
    deliveries.feed(b"".join([*delivery(1, b"a"), *delivery(2, b""), *delivery(3, b"c")[:2]]))
    assert [[message.tag for message in messages] for messages in given] == [[1, 2]]


async def test_a_message_tells_how_it_was_delivered() -> None:
    (message,), _ = await fed(delivery(7, b"body"))
    deliver, properties = message.details()
    assert (deliver.exchange, deliver.routing_key, deliver.delivery_tag) == ("e", "r", 7)
    assert (properties.message_id, properties.headers) == ("an id", {"a": "b"})


async def test_aiormq_learns_that_the_broker_is_alive_while_messages_are_all_that_comes() -> None:
    others: list[bytes] = []
    deliveries = Deliveries(others.append)
    deliveries.give(1, lambda _: None)
    began = time.monotonic()
    for tag in range(50):
        deliveries.feed(b"".join(delivery(tag, b"body")))
    assert set(others) == {HEARTBEAT}
    assert len(others) <= 1 + (time.monotonic() - began), "one a second, not one a message"


async def test_bytes_that_are_not_amqp_are_left_to_aiormq() -> None:
    greeting = b"AMQP\x00\x00\x09\x01"
    _, rest = await fed([greeting, *delivery(1, b"what looks like one")])
    assert rest == b"".join([greeting, *delivery(1, b"what looks like one")])


async def test_a_frame_without_its_end_is_left_to_aiormq_with_all_behind_it() -> None:
    broken = delivery(1, b"body")
    broken[2] = broken[2][:-1] + b"\x00"
    taken, rest = await fed([*delivery(1, b"whole"), *broken, *delivery(2, b"behind")])
    assert [message.body for message in taken] == [b"whole"]
    assert rest == b"".join([broken[2], *delivery(2, b"behind")])
