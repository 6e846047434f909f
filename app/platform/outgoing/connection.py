"""A connection that speaks HTTP/1.1, as much of it as calls of our own need: a request at a time, and its answer."""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple, NoReturn, cast

import httptools

MAX_BODY_BYTES = 64 * 1024
MAX_HEAD_BYTES = 16 * 1024
MOST_FRAMING = 16
"""How many times as long as its body an answer may be as it comes: in chunks as small as that makes them."""
# The answer's headers that anybody reads. Without the others there is nothing to follow, to keep or to unpack.
_KEPT_HEADERS: Final = (b"content-type", b"retry-after")


class Origin(NamedTuple):
    """Where a connection goes, and whether by TLS."""

    is_tls: bool
    host: str
    port: int


class NotHttpError(Exception):
    """What was received is no answer to an HTTP/1.1 request of ours."""


class HttpConnection(asyncio.Protocol):
    """A connection and what it receives. Each answer has a parser of its own: nothing of it is left in the next.

    A lost one lets go of its parser, which points back at it: so it is freed as soon as nobody keeps it. Some are lost
    every second, and the collector comes seldom.
    """

    def __init__(
        self, origin: Origin, on_lost: "Callable[[HttpConnection], None]", most_body_bytes: int = MAX_BODY_BYTES
    ) -> None:
        self.origin = origin
        self._most_body_bytes = most_body_bytes
        self.is_lost = False
        self.is_reusable = False
        self.idle_since = 0.0
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._answered: asyncio.Future[None] | None = None
        self._expect_an_answer()

    async def exchange(self, request: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Send the request; the answer's status, those of its headers that count, and its body.

        Raises:
            OSError: the connection was lost before there was an answer.
            NotHttpError: what came is not one.
        """
        if self.is_lost:
            raise ConnectionResetError("closed before the request")
        self._expect_an_answer()
        self._answered = self._loop.create_future()
        try:
            self._transport.write(request)
            await self._answered
        finally:
            self._answered = None
        return self._status, self._headers, bytes(self._body)

    def abort(self) -> None:
        """Close it now."""
        self.is_reusable = False
        self._transport.abort()

    # The connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse what came. Bytes that nobody asked for end the connection: no later request may get them."""
        if self._answered is None or self._answered.done():
            self.abort()
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
            if not self._has_head and self._received > MAX_HEAD_BYTES:
                _refuse("the answer's head is too long")
            if self._received > MOST_FRAMING * self._most_body_bytes:
                _refuse("the answer is too long")
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, NotHttpError) as error:
            self._fail_with(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """End. An answer without a length ends with the connection, others are cut short."""
        self.is_lost = True
        self.is_reusable = False
        self._on_lost(self)
        del self._parser
        if self._answered is None or self._answered.done():
            return
        if exc is not None or not self._has_head:
            lost = exc if isinstance(exc, OSError) else ConnectionError("closed without an answer")
            self._answered.set_exception(lost)
        elif self._has_length:
            self._answered.set_exception(NotHttpError("the answer is cut short"))
        else:
            self._answered.set_result(None)

    # The parser's callbacks

    def on_message_begin(self) -> None:
        """An answer begins."""
        if self._is_whole:
            _refuse("there is more behind the answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which is none of ours."""
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > MAX_HEAD_BYTES:
            _refuse("the answer's head is too long")
        if self._has_head:
            return
        name = name.lower()
        if name in _KEPT_HEADERS:
            self._headers.append((name, value))
        elif name == b"content-length":
            self._has_length = True
        elif name == b"transfer-encoding":
            self._has_length = True
            if value.lower() != b"chunked":
                _refuse("the answer's framing is unknown")
        elif name == b"content-encoding" and value.lower() != b"identity":
            _refuse("the answer is encoded")

    def on_headers_complete(self) -> None:
        """The head is there; one of an interim answer is followed by another."""
        if self._parser.get_http_version() not in ("1.0", "1.1"):
            _refuse("the answer is not HTTP/1.1")
        self._status = self._parser.get_status_code()
        self._has_head = self._status >= 200

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._body += body
        if len(self._body) > self._most_body_bytes:
            _refuse("the answer is too long")

    def on_message_complete(self) -> None:
        """The answer is whole, if it is not an interim one."""
        if not self._has_head:
            self._headers.clear()
            self._has_length = False
            return
        self._is_whole = True
        self.is_reusable = self._parser.should_keep_alive()
        self.idle_since = self._loop.time()
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(None)

    def _expect_an_answer(self) -> None:
        self.is_reusable = False
        self._parser = httptools.HttpResponseParser(self)
        self._status = self._head_bytes = self._received = 0
        self._has_length = self._has_head = self._is_whole = False
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()

    def _fail_with(self, error: Exception) -> None:
        self.is_reusable = False
        if self._answered is not None and not self._answered.done():
            said = error.__context__ if isinstance(error, httptools.HttpParserCallbackError) else error
            self._answered.set_exception(said if isinstance(said, NotHttpError) else NotHttpError("not HTTP/1.1"))


def _refuse(why: str) -> NoReturn:
    raise NotHttpError(why)
