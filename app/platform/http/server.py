"""Serving the API, or the console: uvicorn in one process, ending without cutting off anyone."""

import asyncio
import contextlib
import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from math import ceil
from typing import cast

import uvicorn

from app.platform.http.limits import KEEP_ALIVE_S
from app.platform.http.listener import close_door
from app.platform.http.protocol import StrictProtocol
from app.platform.http.served import Served
from app.platform.http.sockets import BACKLOG

ACCEPT_WITHIN_S = 5.0
"""Time to accept, at the end, the connections that are already made."""
HANDSHAKE_S = 0.1
"""Time for connections that are begun to be made: a round trip."""
AFTER_GRACE_S = 1.0
"""Time past the grace for the answers that its end brings about; who has not taken his by then is hung up on."""
CANCEL_AFTER_S = 1
"""Time past that before tasks are cancelled."""


class Server(uvicorn.Server):
    """uvicorn's server, with what it serves told first of its end, and with signals that end it like a return."""

    def __init__(
        self,
        config: uvicorn.Config,
        served: Served,
        grace_s: float,
        on_started: Callable[[int], None] | None,
        *,
        is_shared: bool,
    ) -> None:
        super().__init__(config)
        self._served = served
        self._grace_s = grace_s
        self._on_started = on_started
        self._is_shared = is_shared

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell the port."""
        await super().startup(sockets)
        if self.started and self._on_started:
            self._on_started(self.servers[0].sockets[0].getsockname()[1])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain: every request that was accepted is answered, within the grace."""
        self._served.begin_drain()
        last = asyncio.get_running_loop().call_later(self._grace_s + AFTER_GRACE_S, self._hang_up)
        await self._accept_who_waits()
        await super().shutdown(sockets)
        last.cancel()

    def _hang_up(self) -> None:
        for connection in list(self.server_state.connections):
            cast("StrictProtocol", connection).hang_up()

    async def _accept_who_waits(self) -> None:
        """Accept the connections that the system has made already: the socket's end would reset them.

        The door of a shared socket is closed by whoever shares it: others may go on accepting.
        """
        waiting = select.poll()
        for server in self.servers:
            for listening in server.sockets:
                waiting.register(listening.fileno(), select.POLLIN)
                if not self._is_shared:
                    with socket.socket(fileno=os.dup(listening.fileno())) as same:
                        close_door(same)
        loop = asyncio.get_running_loop()
        until = loop.time() + ACCEPT_WITHIN_S
        await asyncio.sleep(HANDSHAKE_S)
        while waiting.poll(0) and loop.time() < until:  # noqa: ASYNC110 -- nothing tells when nobody waits any more
            await asyncio.sleep(0)  # uvloop accepts one or two in a round

    def stop(self) -> None:
        """Begin to end. Safe to call from another thread."""
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT end the server. uvicorn would raise them again afterwards: an end by signal,
        though everything was finished in good order."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for ending in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(ending, self.stop)
        try:
            yield
        finally:
            for ending in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(ending)


def make_server(
    served: Served,
    host: str,
    port: int,
    grace_s: float,
    keep_alive_s: int = KEEP_ALIVE_S,
    on_started: Callable[[int], None] | None = None,
    *,
    is_shared: bool = False,
) -> Server:
    """A server; `await server.serve()` runs it in the running loop, `server.run()` in one of its own."""
    config = uvicorn.Config(
        served,
        host=host,
        port=port,
        loop="uvloop",
        http=StrictProtocol,
        ws="none",
        lifespan="on",
        interface="asgi3",
        backlog=BACKLOG,
        timeout_keep_alive=keep_alive_s,
        timeout_graceful_shutdown=ceil(grace_s + AFTER_GRACE_S) + CANCEL_AFTER_S,
        # Who the client is comes from the connection, never from a header that anyone can send.
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",
    )
    return Server(config, served, grace_s, on_started, is_shared=is_shared)


def serve(
    served: Served,
    host: str,
    port: int,
    grace_s: float,
    keep_alive_s: int = KEEP_ALIVE_S,
    sockets: list[socket.socket] | None = None,
    on_started: Callable[[int], None] | None = None,
    *,
    is_shared: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain within `grace_s` and return.

    `sockets` are listening already; where other processes accept from them, too, they `is_shared`. `on_started` is told
    the port.

    Raises:
        SystemExit: the services or the port could not be opened.
    """
    make_server(served, host, port, grace_s, keep_alive_s, on_started, is_shared=is_shared).run(sockets)
