"""The server's end of a connection: uvicorn's, with limits on what a client may leave to be held or waited for.

uvicorn parses all that is asked at once, waits for ever for the rest of a request and for an answer to be taken, takes
heads of any size, and answers what it cannot parse with plain text, even in the middle of another answer.

Here nothing is parsed beyond the request that has its turn: what follows is held as bytes, and nothing more is read,
until that one is answered and its answer taken.
"""

import asyncio
from typing import Any, cast

import httptools

from app.platform.http.codes import HEADERS_TOO_LARGE, URI_TOO_LONG
from app.platform.http.connection import BoundedConnection
from app.platform.http.errors import Problem, validation
from app.platform.http.flow import JoinedWrites, UntoldLength
from app.platform.http.headers import unfit, without_upgrade
from app.platform.http.limits import MAX_HEAD_BYTES, MAX_URI_BYTES
from app.platform.http.streamed import BREAK_OFF


class StrictProtocol(BoundedConnection):
    """uvicorn's HTTP/1.1 protocol, less patient: its requests, one at a time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._refusal: Problem | None = None

    # What comes

    def data_received(self, data: bytes) -> None:
        """Take what came, and parse of it what has its turn."""
        if not self._is_deaf:
            self._held.add(data)
            self._read_on()

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client says no more, but may still listen: answer what it asked, then close."""
        if self._is_ending or (self._reading == "nothing" and self._is_idle()):
            return False
        if self._is_deaf:
            return True  # what came before the bytes that nobody reads is still to be answered
        if self._reading == "nothing":
            if self.cycle.response_started:
                return False  # who says no more while an answer goes on has left it
            self.cycle.keep_alive = False
            self._is_deaf = True
        else:
            self._refuse(validation({"request": "ended before it was complete"}))
        return True

    def shutdown(self) -> None:
        """The server ends. Requests that are held, or on their way on an idle connection, are answered, too."""
        if not self._is_idle():
            self.cycle.keep_alive &= self.flow.is_full
        elif self._reading == "nothing" and not self._is_deaf:
            self._expect_a_request()

    # The parser's callbacks

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._reading = "head"

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; those that come behind the body are none of ours."""
        if self._reading != "head":
            return
        name = name.lower()
        if name == b"content-length":
            self._held.body_left = int(value)
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is there: refuse what is not plain HTTP/1.1 before anything looks at it."""
        parser = self.parser
        self._refusal = self._oversize() or unfit(
            parser.get_http_version(),
            parser.get_method(),
            self.url,
            self.headers,
            upgrades=parser.should_upgrade(),
        )
        if self._refusal:
            raise ValueError(self._refusal.code)
        if parser.should_upgrade():
            return  # it comes again, see `_feed`
        super().on_headers_complete()
        writes = JoinedWrites(self.transport, self.end_with_answer, self.on_response_complete)
        self.cycle.transport = cast("asyncio.Transport", writes)
        self.cycle.on_response = writes.complete
        cast("dict[str, object]", self.cycle.scope)[BREAK_OFF] = self.end_with_answer
        if self.parser.get_http_version() == "1.0":
            self.cycle.__class__ = UntoldLength
        self._reading = "body"

    def on_body(self, body: bytes) -> None:
        """Some of a body."""
        super().on_body(body)
        self._came_bytes += len(body)

    def on_message_complete(self) -> None:
        """A request is there as a whole."""
        if self._reading == "head":
            return
        super().on_message_complete()
        self._reading = "nothing"
        self._held.begin()
        # What follows may not get as far as headers of its own.
        self.headers = []

    def on_response_complete(self) -> None:
        """An answer is out: it is the turn of what is held."""
        if self._is_ending:
            return
        super().on_response_complete()
        if self.flow.is_full:
            self.loop.call_soon(self._read_on)

    # What is held, and its turn

    def _read_on(self) -> None:
        """Parse what is held, as far as it has its turn, and see how long its rest may take."""
        if self._is_deaf:
            return
        self._unset_keepalive_if_required()
        held, flow = self._held, self.flow
        # A request begins when nobody waits for an answer, nor to have one taken.
        while (self._reading != "nothing" or (self._is_idle() and not flow.write_paused)) and (piece := held.next()):
            try:
                self._feed(piece)
            except httptools.HttpParserError:
                self._refuse(self._refusal or validation({"request": "is not well-formed HTTP/1.1"}))
                return
            if self._reading == "head" and (problem := self._oversize()):
                self._refuse(problem)
                return
        if not held.is_empty:
            flow.hold()
        elif flow.is_full:
            flow.go_on()
        self._expect_the_next()

    def _feed(self, piece: bytes) -> None:
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as upgrade:
            # Declined by going on in HTTP/1.1. The parser, which waits for another protocol now and would take no
            # body, is replaced by one that reads the head again, without the wish.
            head = without_upgrade(self.parser.get_method(), self.url, self.headers)
            self.parser = httptools.HttpRequestParser(self)
            self.parser.feed_data(head + piece[upgrade.args[0] :])

    # Limits and refusals

    def _expect_the_next(self) -> None:
        """See how long what comes next may take, now that nothing more can be parsed."""
        if not self._is_idle():
            if self._served.draining and not self.flow.is_full:
                self.cycle.keep_alive = False
        elif self._reading == "nothing" and not self.flow.is_full:
            self._expect_a_request()
        if self._reading != self._deadline_of:
            self._set_deadline(self._reading)

    def _oversize(self) -> Problem | None:
        """Whether a head is too large already, though its end is not in sight."""
        if len(self.url) > MAX_URI_BYTES:
            return Problem(URI_TOO_LONG, f"a request target has at most {MAX_URI_BYTES} bytes")
        if self._held.head_bytes > MAX_URI_BYTES + MAX_HEAD_BYTES:
            return Problem(HEADERS_TOO_LARGE)
        return None
