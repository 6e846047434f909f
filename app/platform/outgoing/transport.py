"""HTTP/1.1 for httpx, as much of it as calls of our own need: a request at a time on connections that are kept alive.

What its errors promise: `httpx.ConnectError` and `httpx.ConnectTimeout` mean that not a byte of the request was
written. After any other error it may have been.
"""

import asyncio
import socket
import ssl

import aiohappyeyeballs
import httpx

from app.platform.outgoing.connection import MAX_BODY_BYTES, HttpConnection, NotHttpError, Origin

# Shorter than the five seconds after which common servers close an idle connection: a request that meets that close
# on its way may or may not have been read.
KEEPALIVE_S = 4.0
# When a host's first address does not answer for so long, the next one is tried beside it (RFC 8305).
_NEXT_ADDRESS_S = 0.25


class Http1Transport(httpx.AsyncBaseTransport):
    """Sends each request once: no redirects, cookies, proxies, decompression, and nothing sent again.

    The request's extension `deadline`, a time of the running loop, ends the whole exchange, connecting and the last
    byte of the answer included. httpx's own time-outs, which start again with every read, are not used.
    """

    def __init__(self, connections: int, most_body_bytes: int = MAX_BODY_BYTES) -> None:
        """Keep at most `connections` open; a request beyond them waits for one within its deadline. No answer may have
        a longer body."""
        self._most_body_bytes = most_body_bytes
        self._slots = asyncio.Semaphore(connections)
        self._idle: dict[Origin, list[HttpConnection]] = {}
        self._open: set[HttpConnection] = set()
        self._tls: ssl.SSLContext | None = None
        self._is_closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and read the whole answer.

        Raises:
            httpx.ConnectError, httpx.ConnectTimeout: nothing was written.
            httpx.ReadError, httpx.ReadTimeout: there was no answer, or not in time.
            httpx.RemoteProtocolError: there was one, cut short, too long, or not HTTP as asked for.
        """
        wire = _on_the_wire(request, await request.aread())
        written = False
        try:
            async with asyncio.timeout_at(request.extensions.get("deadline")), self._slots:
                connection = await self._connection(_origin(request.url))
                written = True
                try:
                    status, headers, body = await connection.exchange(wire)
                finally:
                    self._release(connection)
        except TimeoutError as exc:
            kind = httpx.ReadTimeout if written else httpx.ConnectTimeout
            raise kind("the deadline passed", request=request) from exc
        except NotHttpError as exc:
            raise httpx.RemoteProtocolError(str(exc), request=request) from exc
        except (OSError, UnicodeError) as exc:  # the latter of a host name that is none
            kind_of_error = httpx.ReadError if written else httpx.ConnectError
            raise kind_of_error(str(exc), request=request) from exc
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

    async def aclose(self) -> None:
        """Close every connection; what is under way on one fails, and no other is made."""
        self._is_closed = True
        for connection in list(self._open):
            connection.abort()

    async def _connection(self, origin: Origin) -> HttpConnection:
        idle = self._idle.setdefault(origin, [])
        now = asyncio.get_running_loop().time()
        while idle:
            connection = idle.pop()
            if connection.is_reusable and now - connection.idle_since < KEEPALIVE_S:
                return connection
            connection.abort()
        return await self._connect(origin)

    def _release(self, connection: HttpConnection) -> None:
        if connection.is_reusable:
            self._idle[connection.origin].append(connection)
        else:
            connection.abort()

    async def _connect(self, origin: Origin) -> HttpConnection:
        if origin.is_tls and self._tls is None:
            self._tls = ssl.create_default_context()
        loop = asyncio.get_running_loop()
        addresses = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
        sock = await aiohappyeyeballs.start_connection(addresses, happy_eyeballs_delay=_NEXT_ADDRESS_S)
        try:
            _, connection = await loop.create_connection(
                lambda: HttpConnection(origin, self._open.discard, self._most_body_bytes),
                sock=sock,
                ssl=self._tls if origin.is_tls else None,
                server_hostname=origin.host if origin.is_tls else None,
            )
        except BaseException:
            sock.close()
            raise
        if self._is_closed:
            connection.abort()
            raise ConnectionAbortedError("the transport is closed")
        if not connection.is_lost:
            self._open.add(connection)
        return connection


def _origin(url: httpx.URL) -> Origin:
    is_tls = url.scheme == "https"
    return Origin(is_tls, url.raw_host.decode("ascii"), url.port or (443 if is_tls else 80))


def _on_the_wire(request: httpx.Request, body: bytes) -> bytes:
    """The request's bytes.

    Raises:
        httpx.LocalProtocolError: a header would end its line.
    """
    lines = [b"%s %s HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    lines += [b"%s: %s" % header for header in request.headers.raw]
    head = b"\r\n".join(lines)
    if head.count(b"\n") != len(lines) - 1 or head.count(b"\r") != len(lines) - 1:
        raise httpx.LocalProtocolError("a header with a line break", request=request)
    return b"%s\r\n\r\n%s" % (head, body)
