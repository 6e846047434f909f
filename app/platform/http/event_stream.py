"""Server-sent events, as HTML's `EventSource` reads them."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Final

from app.platform.http.headers import Head
from app.platform.http.operations import Parameter
from app.platform.http.replies import RawHeader
from app.platform.http.streamed import Streamed
from app.platform.http.streams import Body, Stream

MEDIA_TYPE: Final = "text/event-stream"
COMES_BACK_AFTER_MS: Final = 1000
"""How long a client waits, once a stream is over, before it asks again."""
COMMENT_EVERY_S: Final = 15.0
"""A proxy takes a connection for dead on which nothing comes; and one that is dead is found by sending."""

RETRY: Final = b"retry: %d\n\n" % COMES_BACK_AFTER_MS
COMMENT: Final = b":\n\n"
FAREWELL: Final = b"retry: %d\n: this process ends, and another goes on\n\n" % COMES_BACK_AFTER_MS

_ID: Final = re.compile(rb"0|[1-9][0-9]{0,8}")
_HEADERS: Final[tuple[RawHeader, ...]] = ((b"x-accel-buffering", b"no"),)
"""nginx keeps answers until there is enough of them, unless it is told."""


def event(kind: str, id_: int, data: bytes) -> bytes:
    """An event as it is sent. The data is one line, as JSON is."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (id_, kind.encode("ascii"), data)


def event_stream(body: Body) -> Streamed:
    """A stream of events that the body says."""
    return Streamed(body, MEDIA_TYPE.encode(), _HEADERS, FAREWELL)


async def say_events(stream: Stream, first: bytes, following: Callable[[], Awaitable[bytes | None]]) -> None:
    """Say the first events, and those that follow whenever the stream is woken, with a comment now and then.

    `following` gives those that are new, which may be none for now; None once there will be no more.
    """
    loop = asyncio.get_running_loop()
    await stream.say(RETRY + first)
    comment_at = loop.time() + COMMENT_EVERY_S
    while (events := await following()) is not None:
        if events:
            await stream.say(events)
        elif loop.time() < comment_at:
            await stream.wait(comment_at)
        if loop.time() >= comment_at:
            comment_at = loop.time() + COMMENT_EVERY_S
            await stream.say(COMMENT)


def _read_last_event_id(head: Head) -> int | None:
    given = head.one(b"last-event-id")
    return int(given) if given and _ID.fullmatch(given) else None


LAST_EVENT_ID: Parameter[int | None] = Parameter(
    name="Last-Event-ID",
    key="last_event_id",
    where="header",
    read=_read_last_event_id,
    description="The id of the last event that arrived: the stream goes on behind it. One that is unknown is as none.",
    schema={"type": "string"},
    example="17",
)
