"""Where an answer goes: what every answer has is added there, and noted what was sent."""

import gzip
import time
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from litestar.types import HTTPResponseStartEvent, Message, Send

from app.platform.http.headers import Head
from app.platform.http.origins import VARY, Origins
from app.platform.http.replies import ALWAYS, NO_SNIFFING, NOT_MODIFIED, RawHeader
from app.platform.http.routing import UNMATCHED

CLIENT_GONE: Final = 499
"""What log and metrics say of a request whose client did not stay for an answer."""
LEAST_PACKED: Final = 1024
"""Bytes of an answer that is worth packing."""
NEVER_PACKED: Final = "/v1/auth/"
"""What is secret is not packed together with what others say: the length would tell of it."""

_NO_FIELDS: Final[Mapping[str, Any]] = {}
_VARY_PACKED: Final[RawHeader] = (b"vary", b"Origin, Accept-Encoding")
_GZIP: Final[RawHeader] = (b"content-encoding", b"gzip")
_SAID_AT_ONCE: Final = b"text/event-stream"
"""What is packed piece by piece leaves when there is enough of it; an event does not wait."""
_GZIP_BITS: Final = 31
_LEVEL: Final = 1
"""The loop waits meanwhile; the highest saves a tenth of the bytes for five times the time."""


class Sender:
    """Where a request's answer goes: adds the headers that every answer has, and notes what was sent."""

    __slots__ = ("_send", "began_at", "closing", "code", "fields", "replayed", "request_id", "route", "status")

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.closing = False
        self.route = UNMATCHED
        self.status = CLIENT_GONE
        self.code: str | None = None
        self.replayed = False
        self.fields = _NO_FIELDS
        self.began_at: float | None = None
        """When an answer that goes on had its first piece sent, by `time.perf_counter()`."""

    async def __call__(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            told = [*message["headers"]]
            may_be_kept = any(name == b"cache-control" for name, _ in told)  # the answer says so itself
            headers = [
                *told,
                *(NO_SNIFFING if may_be_kept else ALWAYS),
                (b"x-request-id", self.request_id.encode("ascii")),
            ]
            if self.closing:
                headers.append((b"connection", b"close"))
            message["headers"] = headers
        elif self.began_at is None and message.get("more_body"):
            self.began_at = time.perf_counter()
        await self._send(message)


class DoorSender(Sender):
    """The same behind the front door: browsers are told which pages may read it, and what is long is packed."""

    __slots__ = ("_may_pack", "_packer", "_start", "_told")

    def __init__(self, send: Send, request_id: str, origins: Origins, path: str, head: Head) -> None:
        super().__init__(send, request_id)
        self._told = origins.headers(head)
        self._may_pack = (
            None if path.startswith(NEVER_PACKED) else accepts_gzip(b",".join(head.every(b"accept-encoding")))
        )
        self._start: HTTPResponseStartEvent | None = None
        self._packer: Any = None

    async def __call__(self, message: Message) -> None:
        """Pass a message on; a head waits for its body, whose length it tells."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        start, self._start = self._start, None
        if start is not None:
            vary = VARY
            headers = start["headers"]
            if self._may_pack is not None and start["status"] == NOT_MODIFIED:
                vary = _VARY_PACKED  # as it may have been with what is not sent again
            elif message["type"] == "http.response.body" and self._may_pack is not None and _is_long(message):
                vary = _VARY_PACKED
                if self._may_pack:
                    message["body"] = body = gzip.compress(message["body"], _LEVEL, mtime=0)
                    length = (b"content-length", b"%d" % len(body))
                    headers = [*(each for each in headers if each[0] != b"content-length"), length, _GZIP]
            elif message.get("more_body") and self._may_pack is not None and not _is_said_at_once(start):
                vary = _VARY_PACKED
                if self._may_pack:
                    self._packer = zlib.compressobj(_LEVEL, wbits=_GZIP_BITS)
                    headers = [*headers, _GZIP]
            start["headers"] = [*headers, vary, *self._told]
            await super().__call__(start)
        if self._packer is not None and message["type"] == "http.response.body":
            packed = self._packer.compress(message["body"])
            message["body"] = packed if message["more_body"] else packed + self._packer.flush()
        await super().__call__(message)


def _is_said_at_once(start: HTTPResponseStartEvent) -> bool:
    return any(name == b"content-type" and value == _SAID_AT_ONCE for name, value in start["headers"])


def _is_long(message: Any) -> bool:
    return len(message["body"]) >= LEAST_PACKED and not message.get("more_body")


@lru_cache(maxsize=64)
def accepts_gzip(field: bytes) -> bool:
    """Whether Accept-Encoding has gzip: by its name, or by the star, with any weight but none."""
    found = {}
    for each in field.lower().split(b","):
        coding, *parameters = (part.strip(b" \t") for part in each.split(b";"))
        found[coding] = not any(_is_zero(parameter) for parameter in parameters)
    return found.get(b"gzip", found.get(b"x-gzip", found.get(b"*", False)))


def _is_zero(parameter: bytes) -> bool:
    name, _, weight = parameter.partition(b"=")
    return name.strip(b" \t") == b"q" and not weight.strip(b" \t").strip(b"0").strip(b".").strip(b"0")
