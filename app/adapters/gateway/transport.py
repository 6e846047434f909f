"""HTTP for httpx carried by aiohttp, which neither slows down nor leaks connections when calls are cancelled.

What its errors promise: `httpx.ConnectError` and `httpx.ConnectTimeout` mean that not a byte of the request was
written. After any other error it may have been.
"""

import asyncio
from types import SimpleNamespace
from typing import Any

import aiohttp
import httpx
from yarl import URL

MAX_BODY_BYTES = 64 * 1024
# Shorter than the five seconds after which common servers close an idle connection: a request that meets that close
# on its way may or may not have been read.
KEEPALIVE_S = 4.0
# The answer's headers that anybody reads. Without the others there is nothing to follow, to keep or to unpack.
_KEPT_HEADERS = (b"content-type", b"retry-after")


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Sends each request once: no redirects, cookies, proxies, decompression, nor a POST sent again.

    The request's extension `deadline`, a time of the running loop, ends the whole exchange, connecting and the last
    byte of the answer included. httpx's own time-outs, which start again with every read, are not used.
    """

    def __init__(self, connections: int) -> None:
        """Keep at most `connections` open; a request beyond them waits for one within its deadline."""
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and read the whole answer.

        Raises:
            httpx.ConnectError, httpx.ConnectTimeout: nothing was written.
            httpx.ReadError, httpx.ReadTimeout: there was no answer, or not in time.
            httpx.RemoteProtocolError: there was one, cut short, too long, or not HTTP as asked for.
        """
        wire = SimpleNamespace(taken=False)
        try:
            async with asyncio.timeout_at(request.extensions.get("deadline")):
                return await self._exchange(request, wire)
        except TimeoutError as exc:
            kind = httpx.ReadTimeout if wire.taken else httpx.ConnectTimeout
            raise kind("the deadline passed", request=request) from exc
        except aiohttp.ClientConnectorError as exc:
            # aiohttp may send a GET again when an idle connection dies under it: the second try fails to connect.
            kind_of_error = httpx.ReadError if wire.taken else httpx.ConnectError
            raise kind_of_error(str(exc), request=request) from exc
        except (aiohttp.ClientResponseError, aiohttp.ClientPayloadError) as exc:
            raise httpx.RemoteProtocolError(str(exc), request=request) from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise httpx.ReadError(str(exc), request=request) from exc

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session:
            await self._session.close()

    async def _exchange(self, request: httpx.Request, wire: SimpleNamespace) -> httpx.Response:
        url = request.url.copy_with(userinfo=b"") if request.url.userinfo else request.url
        async with self._open_session().request(
            request.method,
            URL(str(url), encoded=True),
            data=await request.aread() or None,
            headers=request.headers.multi_items(),
            allow_redirects=False,
            trace_request_ctx=wire,
        ) as answer:
            body = bytearray()
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise httpx.RemoteProtocolError("the answer is too long", request=request)
            if answer.headers.get("Content-Encoding", "identity") != "identity":
                raise httpx.RemoteProtocolError("the answer is encoded", request=request)
            kept = [(name, value) for name, value in answer.raw_headers if name.lower() in _KEPT_HEADERS]
            return httpx.Response(answer.status, headers=kept, content=bytes(body), request=request)

    def _open_session(self) -> aiohttp.ClientSession:
        # Made by the first request, because it belongs to the loop that runs then.
        if self._session is None:
            on_wire = aiohttp.TraceConfig()
            on_wire.on_connection_create_end.append(_take)
            on_wire.on_connection_reuseconn.append(_take)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=KEEPALIVE_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                auto_decompress=False,
                trust_env=False,
                trace_configs=[on_wire],
            )
        return self._session


async def _take(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: Any) -> None:
    """Note that the request has a connection: from here on a byte of it may have been written."""
    context.trace_request_ctx.taken = True
