"""A connection to a stranger: what is read of an answer is its status, and when to come back.

Its body is nobody's business. A little of it is read, so that the connection may serve again; then it is closed.
"""

import asyncio
from typing import Final, cast

import httptools

from app.contexts.webhooks.domain.addresses import Address

MOST_HEAD_BYTES: Final = 16 * 1024
MOST_BODY_BYTES: Final = 4 * 1024
MOST_READ_BYTES: Final = MOST_HEAD_BYTES + 2 * MOST_BODY_BYTES
"""Of one answer, as it comes: interim ones, chunks and trailers included."""


class NotAnAnswerError(Exception):
    """What was received is no answer of HTTP/1.1."""


class Answering(asyncio.BufferedProtocol):
    """A connection, and what it receives. A request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._head: asyncio.Future[None] | None = None
        self._whole: asyncio.Future[None] | None = None
        self.address: Address | None = None
        """Where it leads to."""
        self.is_lost = False
        self.is_reusable = False
        self.idle_since = 0.0
        self._room = memoryview(bytearray(MOST_BODY_BYTES))
        self._body = 0

    async def exchange(self, request: bytes) -> tuple[int, bytes | None]:
        """Send the request; the answer's status, and its Retry-After.

        Raises:
            OSError: the connection was lost before there was an answer.
            NotAnAnswerError: what came is none.
        """
        if self.is_lost:
            raise ConnectionResetError("closed before the request")
        loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._status = self._read = self._body = 0
        self._has_head = self.is_reusable = False
        self._retry_after: bytes | None = None
        self._head, self._whole = loop.create_future(), loop.create_future()
        self._transport.write(request)
        try:
            await self._head
        finally:
            self._head = None
        return self._status, self._retry_after

    async def settled(self, within_s: float) -> bool:
        """Wait until the rest of the answer is here, for a moment; whether the connection may serve again."""
        if self._whole is not None and not self.is_lost:
            await asyncio.wait({self._whole}, timeout=within_s)
        return self.is_reusable and not self.is_lost

    def abort(self) -> None:
        """Close it now."""
        self.is_reusable = False
        self._transport.abort()

    # The connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 -- asyncio's
        """Room for what comes next: never for more of a body than is read of one."""
        return self._room[: max(1, MOST_BODY_BYTES - self._body)]

    def buffer_updated(self, nbytes: int) -> None:
        """Parse what came. Bytes that nobody asked for end the connection: no later request may get them."""
        if self._whole is None or self._whole.done():
            self.abort()
            return
        self._read += nbytes
        try:
            self._parser.feed_data(bytes(self._room[:nbytes]))
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(NotAnAnswerError("not HTTP/1.1"))
            return
        if self._read > MOST_READ_BYTES or (not self._has_head and self._read > MOST_HEAD_BYTES):
            self._fail(NotAnAnswerError("the answer is too long"))
        elif self._body >= MOST_BODY_BYTES and not self._whole.done():
            self._fail(NotAnAnswerError("the rest is not read"))  # of which only who waits for a head would hear

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self.is_lost = True
        self._end(exc if isinstance(exc, OSError) else ConnectionResetError("closed without an answer"))

    # The parser's callbacks

    def on_message_begin(self) -> None:
        """An answer begins; behind a whole one there is none that was asked for."""
        if self._whole is not None and self._whole.done():
            raise NotAnAnswerError("there is more behind the answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; of an interim answer, or a trailer, it does not count."""
        if not self._has_head and name.lower() == b"retry-after":
            self._retry_after = value

    def on_headers_complete(self) -> None:
        """The head is there; that of an interim answer is followed by another."""
        status = self._parser.get_status_code()
        if status < 200:
            self._retry_after = None
            return
        self._status, self._has_head = status, True
        if self._head is not None and not self._head.done():
            self._head.set_result(None)

    def on_body(self, body: bytes) -> None:
        """A piece of the body, which is counted and forgotten."""
        self._body += len(body)

    def on_message_complete(self) -> None:
        """The answer is whole, if it is not an interim one."""
        if self._has_head:
            self.is_reusable = bool(self._parser.should_keep_alive()) and self._whole is not None
            self.idle_since = asyncio.get_running_loop().time()
            if self._whole is not None and not self._whole.done():
                self._whole.set_result(None)

    def _fail(self, error: Exception) -> None:
        self._end(error)
        self._transport.abort()

    def _end(self, error: Exception) -> None:
        """No more of this answer: whoever waits for its head gets the error."""
        self.is_reusable = False
        if self._head is not None and not self._head.done():
            self._head.set_exception(error)
        if self._whole is not None and not self._whole.done():
            self._whole.set_result(None)
