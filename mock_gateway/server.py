"""HTTP/1.1 on a bare transport: lean, and free to reset a connection or to send what is not HTTP."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import NamedTuple, cast

import httptools

from mock_gateway.gateway import Request
from mock_gateway.replies import Answer, Held, Listing, Reply, Reset, problem

HEAD_LIMIT = 16 * 1024
BODY_LIMIT = 64 * 1024
PIPELINE_LIMIT = 32
BACKLOG = 1024
CLOSE_WITHIN_S = 2.0

_CLOSE = b"connection: close\r\n"
_STATUS_LINES = {s.value: b"HTTP/1.1 %d %b\r\n" % (s.value, s.phrase.encode()) for s in HTTPStatus}
_JSON = b"content-type: application/json\r\n"


class Refused(NamedTuple):
    """In the place of a request that could not be read; the connection ends with it."""

    answer: Answer


class Connection(asyncio.Protocol):
    """One client's connection: requests are served in their order, the next when the one before is answered."""

    def __init__(self, handle: Callable[[Request], Reply], connections: set["Connection"]) -> None:
        self._handle = handle
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Request | Refused] = deque()
        self._transport: asyncio.Transport
        self._pieces: Iterator[bytes] | None = None
        self._busy = False  # with a reply that is held or sent in pieces
        self._writable = True
        self._broken = False
        self._keep_alive = True
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self.on_message_begin()

    def close(self) -> None:
        """End the connection once what was written is sent."""
        self._transport.close()

    # Called by the parser.

    def on_message_begin(self) -> None:
        self._url = self._body = b""
        self._head_size = 0
        self._keys: tuple[str, ...] = ()

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._head_size += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_size += len(name) + len(value)
        if len(name) == 15 and name.lower() == b"idempotency-key":
            self._keys += (value.decode("latin-1"),)

    def on_body(self, data: bytes) -> None:
        if len(self._body) <= BODY_LIMIT:
            self._body += data

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode("latin-1")
        path = self._url.partition(b"?")[0].decode("latin-1")
        # The answer to a HEAD (405, with its body) would be taken for the beginning of the next one.
        keep_alive = self._parser.should_keep_alive() and method != "HEAD"
        self._waiting.append(self._oversize() or Request(method, path, self._keys, self._body, keep_alive))

    def _oversize(self) -> Refused | None:
        if self._head_size > HEAD_LIMIT:
            return Refused(problem(431, f"more than {HEAD_LIMIT} bytes of request line and headers"))
        if len(self._body) > BODY_LIMIT:
            return Refused(problem(413, f"more than {BODY_LIMIT} bytes of body"))
        return None

    # Called by the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._connections.discard(self)
        self._waiting.clear()
        self._pieces = None
        self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self._broken:
            return
        try:
            self._parser.feed_data(data)
            refused = self._oversize()
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            refused = Refused(problem(400, "this is not HTTP/1.1 as it is spoken here"))
        if refused:
            self._broken = True
            self._waiting.append(refused)
        self._serve()
        if len(self._waiting) > PIPELINE_LIMIT:
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._send_pieces()
        self._serve()
        self._read_on()

    # The replies, in order.

    def _serve(self) -> None:
        while self._waiting and self._writable and not self._busy and not self._transport.is_closing():
            item = self._waiting.popleft()
            if isinstance(item, Refused):
                self._keep_alive = False
                self._send(item.answer)
            else:
                self._keep_alive = item.keep_alive
                self._send(self._handle(item))

    def _send(self, reply: Reply) -> None:
        if isinstance(reply, Answer):
            self._send_answer(reply)
        elif isinstance(reply, Held):
            # The timer is the loop's, not the connection's: a client that goes away does not stop a charge.
            self._busy = True
            self._loop.call_later(reply.delay_s, self._release, reply)
        elif isinstance(reply, Listing):
            self._busy = True
            self._pieces = reply.pieces
            close = b"" if self._keep_alive else _CLOSE
            kind = b"content-type: %b\r\n" % reply.media_type
            self._transport.write(_STATUS_LINES[200] + kind + close + b"transfer-encoding: chunked\r\n\r\n")
            self._send_pieces()
        elif isinstance(reply, Reset):
            linger_no_time = struct.pack("ii", 1, 0)  # so that the kernel sends RST in place of FIN
            sock: socket.socket = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_no_time)
            self._transport.abort()
        else:
            self._transport.write(reply.data)
            self._transport.close()

    def _send_answer(self, answer: Answer) -> None:
        head = _STATUS_LINES[answer.status] + answer.headers
        if answer.body:
            head += _JSON
        if answer.status != 204:
            head += b"content-length: %d\r\n" % len(answer.body)
        if not self._keep_alive:
            head += _CLOSE
        self._transport.write(head + b"\r\n" + answer.body)
        if not self._keep_alive:
            self._transport.close()

    def _send_pieces(self) -> None:
        while self._pieces is not None and self._writable:
            piece = next(self._pieces, None)
            if piece is None:
                self._pieces = None
                self._transport.write(b"0\r\n\r\n")
                self._go_on()
            else:
                self._transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def _release(self, held: Held) -> None:
        reply = held.then()
        if not self._transport.is_closing():
            self._send(reply)
            self._go_on()

    def _go_on(self) -> None:
        self._busy = False
        if self._keep_alive:
            self._serve()
            self._read_on()
        else:
            self._transport.close()

    def _read_on(self) -> None:
        if len(self._waiting) <= PIPELINE_LIMIT:
            self._transport.resume_reading()


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket; on `::` it is IPv4's as well, which asyncio would not make of it."""
    is_ipv6 = ":" in host
    return socket.create_server(
        (host, port),
        family=socket.AF_INET6 if is_ipv6 else socket.AF_INET,
        backlog=BACKLOG,
        dualstack_ipv6=is_ipv6 and socket.has_dualstack_ipv6(),
    )


async def serve(
    handle: Callable[[Request], Reply], host: str, port: int, stop: asyncio.Event, started: Callable[[int], None]
) -> None:
    """Serve until `stop` is set; `started` is told the port, which is a free one if `port` is 0.

    Nothing but held requests can be under way between two steps of the loop; at the end these are hung up on.

    Raises:
        OSError: the address cannot be served on.
    """
    connections: set[Connection] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(handle, connections), sock=_listen(host, port))
    started(server.sockets[0].getsockname()[1])
    await stop.wait()
    server.close()
    closing = [connection.closed for connection in connections]
    for connection in list(connections):
        connection.close()
    if closing:
        await asyncio.wait(closing, timeout=CLOSE_WITHIN_S)
