"""How long a connection may last, how it is refused, and its gentle end: uvicorn's, less patient."""

import asyncio
import time
from typing import Any, Literal, cast

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.platform.http.bodies import BODY_PROBLEM
from app.platform.http.errors import Problem, validation
from app.platform.http.flow import Flow
from app.platform.http.headers import Head, request_id
from app.platform.http.held import Held
from app.platform.http.limits import (
    BODY_WITHIN_S,
    HEAD_WITHIN_S,
    LAST_CALL_S,
    LINGER_S,
    MAX_BODY_BYTES,
    TAKEN_WITHIN_S,
)
from app.platform.http.replies import on_the_wire
from app.platform.http.served import Served
from app.platform.http.sockets import forget_at_close, hold_little

Reading = Literal["nothing", "head", "body"]
"""What of a request is awaited."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class BoundedConnection(HttpToolsProtocol):
    """A connection of uvicorn's, with limits on what its client may leave to be waited for."""

    cycle: RequestResponseCycle
    flow: Flow

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._served = cast("Served", self.config.app)
        self.headers = []
        self.url = b""
        self._held = Held()
        self._reading: Reading = "nothing"
        self._deadline: asyncio.TimerHandle | None = None
        self._deadline_of: Reading = "nothing"
        self._came_bytes = 0
        """Of the body, since its deadline was set."""
        self._untaken: asyncio.TimerHandle | None = None
        self._is_deaf = False
        self._is_ending = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; a connection that never says anything ends like one that has nothing more to say."""
        super().connection_made(transport)
        if self.client:
            # An IPv4 client of a socket that is IPv6's as well has its own address.
            host, port = self.client
            self.client = (host.removeprefix("::ffff:"), port)
        self.flow = Flow(transport)
        hold_little(transport.get_extra_info("socket"), TAKEN_WITHIN_S)
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
        self.cycle = self.scope = None  # type: ignore[assignment] # as in uvicorn's, of which both are

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
        forget_at_close(self.transport.get_extra_info("socket"))
        self.transport.abort()

    def _read_on(self) -> None:
        """Go on with what is held, if it has its turn."""
        raise NotImplementedError

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    # Limits

    def _expect_a_request(self) -> None:
        self._unset_keepalive_if_required()
        within_s = LAST_CALL_S if self._served.draining else self.timeout_keep_alive
        self.timeout_keep_alive_task = self.loop.call_later(within_s, self.timeout_keep_alive_handler)

    def _set_deadline(self, of: Reading) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._deadline_of = of
        self._came_bytes = 0
        if of != "nothing":
            within_s = HEAD_WITHIN_S if of == "head" else BODY_WITHIN_S
            self._deadline = self.loop.call_later(within_s, self._is_late)

    def _is_late(self) -> None:
        part, self._deadline_of = self._deadline_of, "nothing"
        if self.flow.read_paused or (part == "body" and self._came_bytes > MAX_BODY_BYTES):
            # It is the server that does not read; or a long body, of which enough comes.
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

    # Refusals and the end

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
        head = Head(self.headers)
        ours = request_id(head)
        headers = [*self.server_state.default_headers, *self._served.headers_beside(self.url, head)]
        self.transport.write(on_the_wire(problem, ours, headers, with_body=with_body))
        with structlog.contextvars.bound_contextvars(request_id=ours):
            self._served.record_refused(problem, started)
        self._end()

    def end_with_answer(self) -> None:
        """Close the connection behind an answer, or where it stands: then nothing may look like the end of it."""
        if self._is_idle() or self.parser.get_http_version() != "1.0":
            self._end()  # half an answer lacks its last chunk
        elif not self.transport.is_closing():
            self.hang_up()

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
