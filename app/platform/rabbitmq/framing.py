"""Publish many messages with one write. Everything here that leans on the insides of aiormq leans on them only here.

`basic_publish` takes the channel's lock, puts its frames on the connection's queue and waits for the writer, for each
message: a batch of 500 costs three times as much that way. `publish_each` does just that, for an aiormq whose insides
have changed.
"""

import asyncio
import struct
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

import pamqp.frame
from aiormq import spec
from aiormq.abc import AbstractChannel, ChannelFrame
from aiormq.channel import Channel
from pamqp.common import FieldTable
from pamqp.header import ContentHeader

CONTENT_TYPE: Final = "application/cloudevents+json"
PERSISTENT: Final = 2

_MESSAGE_ID_LENGTH: Final = 36
# Stands in a template where a message's trace context comes.
_NO_TRACE: Final = b"\1" * 55
# And where the tenant comes.
_NO_TENANT: Final = b"\2" * 36
_BODY_FRAME: Final = 3
_FRAME_END: Final = b"\xce"
_FRAME_OVERHEAD: Final = 8
# In a header frame the body's size follows 7 octets of frame header, 2 of class and 2 of weight.
_BODY_SIZE: Final = slice(11, 19)

Bindings = Sequence[tuple[str, str]]
"""Queues and the routing keys that they are bound with."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be published. Its id is the canonical form of a UUID, and so is its `tenant`; its `traceparent` is
    W3C's of version 00.
    """

    message_id: str
    type: str
    body: bytes
    traceparent: str | None = None
    tenant: str | None = None


async def publish_at_once(
    channel: AbstractChannel, exchange: str, bindings: Bindings, messages: Sequence[Outgoing], *, mandatory: bool
) -> Sequence[Awaitable[object]]:
    """Bind again, and send the messages, persistent, with one write; answer each one's confirm. If they are mandatory
    those that no queue takes come back.

    The bindings' errors close the channel. Were the messages a write of their own, they could follow aiormq's answer to
    that, on a channel that is none any more, for which the broker closes the connection.

    When this is cut off, the channel's count of messages is no longer the broker's: it has to be closed.
    """
    inside = cast("Channel", channel)
    frames = [
        pamqp.frame.marshal(
            spec.Queue.Bind(queue=queue, exchange=exchange, routing_key=key, nowait=True), inside.number
        )
        for queue, key in bindings
    ]
    confirms: list[asyncio.Future[object]] = []
    async with inside.lock:
        for message in messages:
            inside.delivery_tag += 1
            confirm = inside.create_future()
            inside.confirmations[inside.delivery_tag] = confirm
            inside.message_id_delivery_tag[message.message_id] = inside.delivery_tag
            confirms.append(confirm)
            frames.append(_frames(message, exchange, mandatory, inside.number, inside.max_content_size))
        await inside.write_queue.put(ChannelFrame(payload=b"".join(frames), should_close=False))
    return confirms


def forget(channel: AbstractChannel, messages: Sequence[Outgoing]) -> None:
    """Drop what the channel remembers of messages that are confirmed or returned."""
    remembered = cast("Channel", channel).message_id_delivery_tag
    for message in messages:
        remembered.pop(message.message_id, None)


async def publish_each(
    channel: AbstractChannel, exchange: str, bindings: Bindings, messages: Sequence[Outgoing], *, mandatory: bool
) -> Sequence[Awaitable[object]]:
    """The same, with public calls alone."""
    for queue, key in bindings:
        await channel.queue_bind(queue, exchange, key)
    calls = [
        asyncio.ensure_future(
            channel.basic_publish(
                message.body,
                exchange=exchange,
                routing_key=message.type,
                properties=_properties(message.message_id, message.type, message.traceparent, message.tenant),
                mandatory=mandatory,
            )
        )
        for message in messages
    ]
    for call in calls:  # not every call's end is waited for when one tells of a closed channel
        call.add_done_callback(lambda ended: None if ended.cancelled() else ended.exception())
    return calls


def _frames(message: Outgoing, exchange: str, mandatory: bool, channel: int, most: int) -> bytes:
    publish, before_id, after_id = _template(
        exchange, message.type, mandatory, channel, message.traceparent is not None, message.tenant is not None
    )
    if message.traceparent is not None:
        before_id = before_id.replace(_NO_TRACE, message.traceparent.encode("ascii"))
    if message.tenant is not None:
        before_id = before_id.replace(_NO_TENANT, message.tenant.encode("ascii"))
    body = message.body
    parts = [
        publish,
        before_id[: _BODY_SIZE.start],
        struct.pack(">Q", len(body)),
        before_id[_BODY_SIZE.stop :],
        message.message_id.encode("ascii"),
        after_id,
    ]
    for start in range(0, len(body), most):
        piece = body[start : start + most]
        parts += (struct.pack(">BHI", _BODY_FRAME, channel, len(piece)), piece, _FRAME_END)
    return b"".join(parts)


@lru_cache(maxsize=256)
def _template(
    exchange: str, type: str, mandatory: bool, channel: int, is_traced: bool, has_tenant: bool
) -> tuple[bytes, bytes, bytes]:
    """The publish frame, and the header frame before and after the message's id.

    That has always the same length, and so have trace context and tenant, of which there is only the room for them.
    """
    publish = pamqp.frame.marshal(spec.Basic.Publish(exchange=exchange, routing_key=type, mandatory=mandatory), channel)
    placeholder = "\0" * _MESSAGE_ID_LENGTH
    trace = _NO_TRACE.decode("ascii") if is_traced else None
    tenant = _NO_TENANT.decode("ascii") if has_tenant else None
    properties = _properties(placeholder, type, trace, tenant)
    header = pamqp.frame.marshal(ContentHeader(properties=properties), channel)
    before_id, after_id = header.split(placeholder.encode("ascii"))
    return publish, before_id, after_id


def _properties(message_id: str, type: str, traceparent: str | None, tenant: str | None) -> spec.Basic.Properties:
    headers: FieldTable = {}
    if traceparent is not None:
        headers["traceparent"] = traceparent
    if tenant is not None:
        headers["tenant"] = tenant
    return spec.Basic.Properties(
        content_type=CONTENT_TYPE,
        delivery_mode=PERSISTENT,
        message_id=message_id,
        message_type=type,
        headers=headers or None,
    )
