"""The server's end of a connection: uvicorn's, with limits on slow clients and answers of ours to what is not HTTP.

uvicorn waits for ever for the rest of a request, takes heads of any size, and answers what it cannot parse with plain
text, even in the middle of another answer.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Literal, Protocol, cast

import httptools
import structlog
from litestar.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.adapters.http.bodies import BODY_PROBLEM
from app.adapters.http.errors import Problem, validation
from app.adapters.http.headers import Head, request_id, unfit, without_upgrade
from app.adapters.http.limits import (
    BODY_WITHIN_S,
    HEAD_WITHIN_S,
    LAST_CALL_S,
    LINGER_S,
    MAX_HEAD_BYTES,
    MAX_URI_BYTES,
)
from app.adapters.http.replies import on_the_wire

_INTERIM = b"HTTP/1.1 1"

_Reading = Literal["nothing", "head", "body"]


class Served(Protocol):
    """What is served here: an ASGI application that hears of its end, and records requests that never get to it."""

    @property
    def draining(self) -> bool:
        """Whether the process is about to end: every connection ends with its next answer."""
        ...

    def begin_drain(self) -> None:
        """Begin nothing that takes long from here on."""
        ...

    def record_refused(self, problem: Problem, started: float) -> None:
        """Take note of a request that was refused before it got here. `started` is a time of `time.perf_counter()`."""
        ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or follow the server's start and end."""
        ...


class StrictProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol, less patient."""

    cycle: RequestResponseCycle

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._served = cast("Served", self.config.app)
        self.headers = []
        self.url = b""
        self._ends = False
        self._reading: _Reading = "nothing"
        self._head_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._deadline_of: _Reading = "nothing"
        self._refusal: Problem | None = None
        self._is_deaf = False
        self._is_ending = False

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; a connection that never says anything ends like one that has nothing more to say."""
        super().connection_made(transport)
        self._expect_a_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._set_deadline("nothing")
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, and see how long its rest may take."""
        if self._is_deaf:
            return
        self._unset_keepalive_if_required()
        self._ends = False
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._refuse(self._refusal or validation({"request": "is not well-formed HTTP/1.1"}))
            return
        if self._reading == "head":
            # What came before the head in the same read is none of it; what is parsed of it is a lower bound.
            self._head_bytes = Head(self.headers).size if self._ends else self._head_bytes + len(data)
            if problem := self._oversize():
                self._refuse(problem)
                return
        elif self._reading == "nothing" and self._is_idle():
            self._expect_a_request()
        if self._ends or self._reading != self._deadline_of:
            self._set_deadline(self._reading)

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client says no more, but may still listen: answer what it asked, then close."""
        if self._is_ending or (self._reading == "nothing" and self._is_idle()):
            return False
        if self._is_deaf:
            return True  # what came before the bytes that nobody reads is still to be answered
        if self._reading == "nothing":
            self.cycle.keep_alive = False
            self._is_deaf = True
        else:
            self._refuse(validation({"request": "ended before it was complete"}))
        return True

    def shutdown(self) -> None:
        """The server ends. Requests that are on their way on an idle connection are answered, too."""
        if not self._is_idle():
            self.cycle.keep_alive = False
        elif self._reading == "nothing" and not self._is_deaf:
            self._expect_a_request()

    # The parser's callbacks

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._reading = "head"
        self._head_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; those that come behind the body are none of ours."""
        if self._reading == "head":
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there: refuse what is not plain HTTP/1.1 before anything looks at it."""
        parser = self.parser
        self._refusal = unfit(
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
        answering = _Answering(self.transport, self._end, self.on_response_complete)
        self.cycle.transport = cast("asyncio.Transport", answering)
        self.cycle.on_response = answering.complete
        self._reading = "body"
        if self._served.draining:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """A request is there as a whole."""
        if self._reading == "head":
            return
        super().on_message_complete()
        self._reading = "nothing"
        self._ends = True
        # What follows may not get as far as headers of its own.
        self.headers = []

    def on_response_complete(self) -> None:
        """An answer is out: the next one, or what was to be said about the bytes behind it."""
        if self._is_ending:
            return
        super().on_response_complete()
        if self._refusal and self._is_idle() and not self.transport.is_closing():
            self._send_refusal(self._refusal)

    # Limits and refusals

    def _feed(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                # Declined by going on in HTTP/1.1. The parser, which waits for another protocol now and would take no
                # body, is replaced by one that reads the head again, without the wish.
                head = without_upgrade(self.parser.get_method(), self.url, self.headers)
                self.parser = httptools.HttpRequestParser(self)
                data = head + data[upgrade.args[0] :]

    def _is_idle(self) -> bool:
        return (self.cycle is None or self.cycle.response_complete) and not self.pipeline

    def _expect_a_request(self) -> None:
        self._unset_keepalive_if_required()
        within_s = LAST_CALL_S if self._served.draining else self.timeout_keep_alive
        self.timeout_keep_alive_task = self.loop.call_later(within_s, self.timeout_keep_alive_handler)

    def _oversize(self) -> Problem | None:
        """Whether a head is too large already, though its end is not in sight."""
        if len(self.url) > MAX_URI_BYTES:
            return Problem("URI_TOO_LONG", f"a request target has at most {MAX_URI_BYTES} bytes")
        if self._head_bytes > MAX_URI_BYTES + MAX_HEAD_BYTES:
            return Problem("HEADERS_TOO_LARGE", "the headers are too many or too large")
        return None

    def _set_deadline(self, of: _Reading) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._deadline_of = of
        if of != "nothing":
            within_s = HEAD_WITHIN_S if of == "head" else BODY_WITHIN_S
            self._deadline = self.loop.call_later(within_s, self._is_late)

    def _is_late(self) -> None:
        part, self._deadline_of = self._deadline_of, "nothing"
        if self.flow.read_paused:
            # It is the server that does not read.
            self._set_deadline(part)
        elif not self.transport.is_closing():
            self._refuse(validation({"request": f"its {part} took too long to arrive"}))

    def _refuse(self, problem: Problem) -> None:
        """Read no more of this connection. The request under way gets the blame if it is its body that is wrong."""
        self._is_deaf = True
        self._set_deadline("nothing")
        body_is_bad = self._reading == "body"
        self._reading = "nothing"
        if body_is_bad and not self.cycle.response_complete:
            self._refusal = None
            self.cycle.keep_alive = False
            # The application looks for it there.
            cast("dict[str, object]", self.cycle.scope)[BODY_PROBLEM] = problem
            self.cycle.message_event.set()
        elif body_is_bad:
            self._end()
        elif self._is_idle():
            self._send_refusal(problem)
        else:
            # Its turn comes when the requests before it are answered.
            self._refusal = problem

    def _send_refusal(self, problem: Problem) -> None:
        self._refusal = None
        self._unset_keepalive_if_required()
        started = time.perf_counter()
        ours = request_id(Head(self.headers))
        self.transport.write(on_the_wire(problem, ours, self.server_state.default_headers))
        with structlog.contextvars.bound_contextvars(request_id=ours):
            self._served.record_refused(problem, started)
        self._end()

    def _end(self) -> None:
        """Close the connection so that the last answer arrives.

        A connection closed with bytes unread is reset, and the reset may overtake the answer. So this side says that
        it is done, and throws away what still comes until the other side is done as well, or for a while.
        """
        self._is_deaf = self._is_ending = True
        self._set_deadline("nothing")
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        if not self.transport.is_closing():
            self.transport.write_eof()
            self.timeout_keep_alive_task = self.loop.call_later(LINGER_S, self.timeout_keep_alive_handler)


class _Answering:
    """A transport as the cycle of one request uses it; closing it ends the connection gently.

    uvicorn writes an answer's head and its body one after the other. They leave together: one system call, and one
    segment that wakes the client. It saves some 40 µs of a request.
    """

    __slots__ = ("_end", "_head", "_on_complete", "_transport", "is_closing")

    def __init__(self, transport: asyncio.Transport, end: Callable[[], None], on_complete: Callable[[], None]) -> None:
        self._transport = transport
        self._end = end
        self._on_complete = on_complete
        self._head: bytes | None = None
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Send. A head waits for what comes behind it."""
        if self._head is None and not data.startswith(_INTERIM):
            self._head = data
            return
        self._transport.write((self._head or b"") + data)
        self._head = self._head and b""

    def close(self) -> None:
        """This answer is the connection's last."""
        self._flush()
        self._end()

    def complete(self) -> None:
        """The answer is over; that to a HEAD has nothing behind its head."""
        self._flush()
        self._on_complete()

    def _flush(self) -> None:
        if self._head:
            self._transport.write(self._head)
            self._head = b""
