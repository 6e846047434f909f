"""The server's end of a connection: uvicorn's, with limits on what a client may leave to be held or waited for.

uvicorn parses all that is asked at once, waits for ever for the rest of a request and for an answer to be taken, takes
heads of any size, and answers what it cannot parse with plain text, even in the middle of another answer.

Here nothing is parsed beyond the request that has its turn: what follows is held as bytes, and nothing more is read,
until that one is answered and its answer taken.
"""

import asyncio
import socket
import struct
import time
from typing import Any, Literal, cast

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.adapters.http.bodies import BODY_PROBLEM
from app.adapters.http.errors import Problem, validation
from app.adapters.http.flow import Answering, Flow
from app.adapters.http.headers import Head, request_id, unfit, without_upgrade
from app.adapters.http.held import Held
from app.adapters.http.limits import (
    BODY_WITHIN_S,
    HEAD_WITHIN_S,
    LAST_CALL_S,
    LINGER_S,
    MAX_HEAD_BYTES,
    MAX_URI_BYTES,
    SYSTEM_HOLDS_BYTES,
    TAKEN_WITHIN_S,
)
from app.adapters.http.replies import on_the_wire
from app.adapters.http.served import Served

_WITHOUT_LINGERING = struct.pack("ii", 1, 0)
"""For SO_LINGER: closing forgets at once what is not sent."""

_Reading = Literal["nothing", "head", "body"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class StrictProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol, less patient."""

    cycle: RequestResponseCycle
    flow: Flow

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._served = cast("Served", self.config.app)
        self.headers = []
        self.url = b""
        self._held = Held()
        self._reading: _Reading = "nothing"
        self._deadline: asyncio.TimerHandle | None = None
        self._deadline_of: _Reading = "nothing"
        self._untaken: asyncio.TimerHandle | None = None
        self._refusal: Problem | None = None
        self._is_deaf = False
        self._is_ending = False

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; a connection that never says anything ends like one that has nothing more to say."""
        super().connection_made(transport)
        if self.client:
            # An IPv4 client of a socket that is IPv6's as well has its own address.
            host, port = self.client
            self.client = (host.removeprefix("::ffff:"), port)
        self.flow = Flow(transport)
        for direction in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, direction, SYSTEM_HOLDS_BYTES)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            # What the system keeps for a client, after our end as well, is not kept for longer either.
            taken_within_ms = int(TAKEN_WITHIN_S * 1000)
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, taken_within_ms)
        # So that writing is paused by as little as one byte that the system does not take.
        transport.set_write_buffer_limits(high=0)
        self._expect_a_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, and let go of all that points back here: what the connection held is freed now.

        The collector, which would find it otherwise, comes seldom.
        """
        self._turn_deaf()
        self._set_untaken(None)
        self._unset_keepalive_if_required()
        super().connection_lost(exc)
        self.cycle = None  # type: ignore[assignment] # as in uvicorn's, of which it is

    def data_received(self, data: bytes) -> None:
        """Take what came, and parse of it what has its turn."""
        if not self._is_deaf:
            self._held.add(data)
            self._read_on()

    def pause_writing(self) -> None:
        """The system does not take all of an answer: its client has to."""
        super().pause_writing()
        self._set_untaken(self.loop.call_later(TAKEN_WITHIN_S, self._is_not_taken))

    def resume_writing(self) -> None:
        """The answer is taken."""
        super().resume_writing()
        self._set_untaken(None)
        if self._is_ending:
            self._linger()
        else:
            self.loop.call_soon(self._read_on)

    def hang_up(self) -> None:
        """End now, and have the system forget what it still holds for the client."""
        connection: socket.socket = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _WITHOUT_LINGERING)
        self.transport.abort()

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
        answering = Answering(self.transport, self._end, self.on_response_complete)
        self.cycle.transport = cast("asyncio.Transport", answering)
        self.cycle.on_response = answering.complete
        self._reading = "body"

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

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

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

    def _expect_a_request(self) -> None:
        self._unset_keepalive_if_required()
        within_s = LAST_CALL_S if self._served.draining else self.timeout_keep_alive
        self.timeout_keep_alive_task = self.loop.call_later(within_s, self.timeout_keep_alive_handler)

    def _oversize(self) -> Problem | None:
        """Whether a head is too large already, though its end is not in sight."""
        if len(self.url) > MAX_URI_BYTES:
            return Problem("URI_TOO_LONG", f"a request target has at most {MAX_URI_BYTES} bytes")
        if self._held.head_bytes > MAX_URI_BYTES + MAX_HEAD_BYTES:
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

    def _is_not_taken(self) -> None:
        _log.warning("answer_not_taken", within_s=TAKEN_WITHIN_S)
        self.hang_up()

    def _set_untaken(self, timer: asyncio.TimerHandle | None) -> None:
        if self._untaken is not None:
            self._untaken.cancel()
        self._untaken = timer

    def _refuse(self, problem: Problem) -> None:
        """Read no more of this connection. The request under way gets the blame if it is its body that is wrong."""
        body_is_bad = self._reading == "body"
        is_head = self._reading == "head" and self.parser.get_method() == b"HEAD"
        self._turn_deaf()
        if not body_is_bad:
            self._send_refusal(problem, with_body=not is_head)
        elif self.cycle.response_complete:
            self._end()
        else:
            self.cycle.keep_alive = False
            # The application looks for it there.
            cast("dict[str, object]", self.cycle.scope)[BODY_PROBLEM] = problem
            self.cycle.message_event.set()

    def _turn_deaf(self) -> None:
        self._is_deaf = True
        self._held.clear()
        self._reading = "nothing"
        self._set_deadline("nothing")

    def _send_refusal(self, problem: Problem, *, with_body: bool) -> None:
        self._unset_keepalive_if_required()
        started = time.perf_counter()
        ours = request_id(Head(self.headers))
        self.transport.write(on_the_wire(problem, ours, self.server_state.default_headers, with_body=with_body))
        with structlog.contextvars.bound_contextvars(request_id=ours):
            self._served.record_refused(problem, started)
        self._end()

    def _end(self) -> None:
        """Close the connection so that the last answer arrives.

        A connection closed with bytes unread is reset, and the reset may overtake the answer. So this side says that
        it is done, and throws away what still comes until the other side is done as well, or for a while.
        """
        self._is_ending = True
        self._turn_deaf()
        self.flow.go_on()
        self.flow.resume_reading()
        if not self.transport.is_closing():
            self.transport.write_eof()
            if not self.flow.write_paused:
                self._linger()

    def _linger(self) -> None:
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(LINGER_S, self.timeout_keep_alive_handler)
