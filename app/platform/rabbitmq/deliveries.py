"""Take a queue's messages straight out of a connection's bytes, as many as came at once.

aiormq reads each frame with three awaits and starts a task for each message: ten times what it takes to find the
message in the buffer. So the frames that make up deliveries are taken out of the stream before aiormq sees it; all else
(replies, confirms, closings, heartbeats) it gets as it came. Only its transport factory is leaned on. `consume_each`
does without, for an aiormq whose insides have changed.
"""

import asyncio
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, cast
from uuid import UUID

import pamqp.frame
from aiormq import spec
from aiormq.abc import AbstractChannel, DeliveredMessage
from pamqp.header import ContentHeader

from app.platform.messaging.received_events import known_id

HEARTBEAT: Final = b"\x08\x00\x00\x00\x00\x00\x00\xce"
HEARTBEAT_EVERY_S: Final = 1.0
MAX_MESSAGE_BYTES: Final = 128 * 1024
"""With its properties. An event has one or two KiB; the broker lets up to 16 MiB pass, of hundreds at a time."""
# A header of that name whose value is a string of the only length that the first version of W3C's format has.
_TRACEPARENT: Final = b"\x0btraceparentS\x00\x00\x00\x37"
_TRACEPARENT_LENGTH: Final = 55

_METHOD, _HEADER, _BODY, _BEAT = 1, 2, 3, 8
_FRAME: Final = struct.Struct(">BHI")
_END: Final = 0xCE
_DELIVER: Final = struct.pack(">HH", 60, 60)
# A delivery's method: class, method, then the consumer's tag with its length, then the delivery's tag.
_TAG_LENGTH: Final = _FRAME.size + 4
_LONGLONG: Final = struct.Struct(">Q")
# A header: class and weight, then the body's size.
_BODY_SIZE: Final = _FRAME.size + 4

Sink = Callable[[Sequence["Delivered"]], None]


@dataclass(slots=True, eq=False)
class Delivered:
    """A message. `tag` is what to acknowledge it by. Of one that is too large the body is not kept."""

    tag: int
    method: bytes
    header: bytes = b""
    body: bytes = b""
    is_too_large: bool = False

    @property
    def traceparent(self) -> str | None:
        """The trace context that it carries, as it is: found without reading its properties."""
        _, found, rest = self.header.partition(_TRACEPARENT)
        return rest[:_TRACEPARENT_LENGTH].decode("latin-1") if found else None

    @property
    def tenant_id(self) -> UUID | None:
        """Whose it is by its header. Its properties are read for that: who sees what hangs on it."""
        _, properties = self.details()
        tenant = (properties.headers or {}).get("tenant")
        return known_id(tenant) if isinstance(tenant, str) else None

    def details(self) -> tuple[spec.Basic.Deliver, spec.Basic.Properties]:
        """How it was delivered and with which properties: read only when asked for, as hardly ever anyone does."""
        deliver, header = (pamqp.frame.unmarshal(frame)[2] for frame in (self.method, self.header))
        return cast("spec.Basic.Deliver", deliver), cast("ContentHeader", header).properties


class Deliveries:
    """Stands before a stream reader. `pass_on` is where everything goes that is no delivery for a sink.

    Until a channel has a sink its deliveries are passed on, too.
    """

    def __init__(self, pass_on: Callable[[bytes], None]) -> None:
        self._pass_on = pass_on
        self._rest = bytearray()
        self._wanted = _FRAME.size  # how many octets it takes to go on
        self._sinks: dict[int, Sink] = {}
        self._incomplete: dict[int, tuple[Delivered, int, list[bytes]]] = {}
        self._is_foreign = False
        self._beat_at = 0.0

    def give(self, channel: int, sink: Sink) -> None:
        """Give the channel's deliveries to the sink from now on, those of one read together, in their order."""
        self._sinks[channel] = sink

    def feed(self, data: bytes) -> None:
        """Take what was read."""
        if self._is_foreign:
            self._pass_on(data)
            return
        rest = self._rest
        rest += data
        if len(rest) < self._wanted:
            return
        others: list[bytes] = []
        found: dict[int, list[Delivered]] = {}
        start = 0
        self._wanted = _FRAME.size
        while len(rest) - start >= _FRAME.size:
            kind, channel, length = _FRAME.unpack_from(rest, start)
            end = start + _FRAME.size + length + 1
            if kind not in (_METHOD, _HEADER, _BODY, _BEAT) or (end <= len(rest) and rest[end - 1] != _END):
                self._is_foreign = True  # no AMQP 0-9-1 any more: aiormq says what is wrong
                others.append(bytes(rest[start:]))
                start = len(rest)
                break
            if end > len(rest):
                self._wanted = end - start
                break
            frame = bytes(rest[start:end])
            start = end
            if channel not in self._sinks or not self._take(kind, channel, frame, found):
                others.append(frame)
        del rest[:start]
        if found:
            others += self._heartbeat()
        if others:
            self._pass_on(b"".join(others))
        for channel, messages in found.items():
            self._sinks[channel](messages)

    def _take(self, kind: int, channel: int, frame: bytes, found: dict[int, list[Delivered]]) -> bool:
        """Take the frame if it belongs to a delivery."""
        if kind == _METHOD:
            if not frame.startswith(_DELIVER, _FRAME.size):
                return False
            (tag,) = _LONGLONG.unpack_from(frame, _TAG_LENGTH + 1 + frame[_TAG_LENGTH])
            self._incomplete[channel] = (Delivered(tag, frame), 0, [])
            return True
        if channel not in self._incomplete:
            return False  # the content of something else, as of a returned message
        message, missing, parts = self._incomplete[channel]
        if kind == _HEADER:
            message.header = frame
            (missing,) = _LONGLONG.unpack_from(frame, _BODY_SIZE)
            # With its properties, which may be as large as a frame.
            message.is_too_large = missing + len(frame) > MAX_MESSAGE_BYTES
        else:
            missing -= len(frame) - _FRAME.size - 1
            if not message.is_too_large:
                parts.append(frame[_FRAME.size : -1])
        if missing > 0:
            self._incomplete[channel] = (message, missing, parts)
        else:
            del self._incomplete[channel]
            message.body = b"".join(parts)
            found.setdefault(channel, []).append(message)
        return True

    def _heartbeat(self) -> list[bytes]:
        """The broker sends none while it sends messages, and aiormq sees none of these: it would think it stuck."""
        now = asyncio.get_running_loop().time()
        if now < self._beat_at:
            return []
        self._beat_at = now + HEARTBEAT_EVERY_S
        return [HEARTBEAT]


async def consume_at_once(deliveries: Deliveries, channel: AbstractChannel, queue: str, sink: Sink) -> str:
    """Have the sink get the queue's messages, as many as came at once; the consumer's tag."""

    async def taken_before(_: DeliveredMessage) -> None:
        """What aiormq would call with a message, if it saw any."""

    deliveries.give(channel.number, sink)
    return (await channel.basic_consume(queue, taken_before)).consumer_tag or ""


async def consume_each(_: Deliveries, channel: AbstractChannel, queue: str, sink: Sink) -> str:
    """The same, one after the other, with public calls alone."""

    async def take(message: DeliveredMessage) -> None:
        assert isinstance(message.delivery, spec.Basic.Deliver)
        method = pamqp.frame.marshal(message.delivery, channel.number)
        header = pamqp.frame.marshal(message.header, channel.number)
        tag, body = message.delivery.delivery_tag or 0, message.body
        if len(body) + len(header) > MAX_MESSAGE_BYTES:
            sink([Delivered(tag, method, header, is_too_large=True)])
        else:
            sink([Delivered(tag, method, header, body)])

    return (await channel.basic_consume(queue, take)).consumer_tag or ""
