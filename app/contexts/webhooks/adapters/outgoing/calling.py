"""Events posted to strangers: to an address that was looked at, under the name that was given.

The name is resolved once for each attempt, every address has to be one that may be called, and the connection goes to
one of these: what a name server says a moment later changes nothing. No proxy, redirect or cookie, and nothing is sent
twice. One time limit is around all of it.
"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

from app.contexts.webhooks.adapters.outgoing.answering import Answering, NotAnAnswerError
from app.contexts.webhooks.adapters.outgoing.resolving import Resolve
from app.contexts.webhooks.application.manage_endpoints import Rules
from app.contexts.webhooks.domain.addresses import Address
from app.contexts.webhooks.domain.delivery import Error, Result
from app.contexts.webhooks.domain.refusals import Unfit
from app.contexts.webhooks.domain.url import Place, checked

KEPT_S: Final = 4.0
"""How long a connection is kept that nothing is sent over: less than common servers do."""
REST_S: Final = 0.25
"""How long the rest of an answer is waited for whose head is here."""
NEXT_ADDRESS_S: Final = 2.0
"""How long the first addresses of a host may take to connect, before the next is tried instead."""
MOST_ADDRESSES: Final = 4
KEPT: Final = 512


class _Route(NamedTuple):
    """Where a connection goes, and under which name."""

    is_tls: bool
    host: str
    port: int
    address: Address


class _Failed(Exception):  # noqa: N818 -- why is in it
    def __init__(self, error: Error) -> None:
        super().__init__(error)
        self.error = error


class Caller:
    """Implements `Call`."""

    def __init__(self, resolve: Resolve, rules: Rules, tls: ssl.SSLContext | None = None) -> None:
        """`tls` says which authorities are trusted; without one those that the system trusts are."""
        self._resolve = resolve
        self._rules = rules
        self._tls = tls
        self._idle: dict[_Route, list[Answering]] = {}

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes, until: float) -> Result:
        """See `Call`."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout_at(until):
                place, connection = await self._reached(url)
                status, retry_after = await _exchanged(connection, _on_the_wire(place, headers, body))
        except TimeoutError:
            return Result(error=Error.TIMEOUT, took_s=loop.time() - began)
        except _Failed as failed:
            return Result(error=failed.error, took_s=loop.time() - began)
        result = Result(status=status, retry_after_s=seconds_of(retry_after), took_s=loop.time() - began)
        await self._put_back(place, connection)
        return result

    def close(self) -> None:
        """Close what is kept."""
        for connections in self._idle.values():
            for connection in connections:
                connection.abort()
        self._idle.clear()

    async def _reached(self, url: str) -> tuple[Place, Answering]:
        try:
            place = checked(url, self._rules.allowed, allow_http=self._rules.allow_http)
        except Unfit:  # by the settings as they are now
            raise _Failed(Error.ADDRESS) from None
        return place, await self._connection(place, await self._addresses(place))

    async def _addresses(self, place: Place) -> Sequence[Address]:
        """Where the host is, once every address of it is one that may be called."""
        try:
            found = [place.address] if place.address else await self._resolve(place.host, place.port)
        except OSError:
            raise _Failed(Error.NAME) from None
        if not found:
            raise _Failed(Error.NAME)
        if not all(map(self._rules.allowed.allows, found)):
            raise _Failed(Error.ADDRESS)
        return found[:MOST_ADDRESSES]

    async def _connection(self, place: Place, addresses: Sequence[Address]) -> Answering:
        now = asyncio.get_running_loop().time()
        for address in addresses:
            idle = self._idle.pop(route := _route(place, address), [])
            while idle:
                connection = idle.pop()
                if connection.is_reusable and not connection.is_lost and now - connection.idle_since < KEPT_S:
                    if idle:
                        self._idle[route] = idle
                    return connection
                connection.abort()
        for address in addresses[:-1]:
            try:
                async with asyncio.timeout(NEXT_ADDRESS_S):
                    return await self._connect(place, address)
            except (TimeoutError, _Failed):
                continue
        return await self._connect(place, addresses[-1])

    async def _connect(self, place: Place, address: Address) -> Answering:
        loop = asyncio.get_running_loop()
        tls = self._context() if place.is_tls else None
        try:
            _, connection = await loop.create_connection(
                Answering, str(address), place.port, ssl=tls, server_hostname=place.host if tls else None
            )
        except ssl.SSLError:
            raise _Failed(Error.TLS) from None
        except OSError:
            raise _Failed(Error.CONNECTION) from None
        connection.address = address
        return connection

    async def _put_back(self, place: Place, connection: Answering) -> None:
        """Keep the connection, if the rest of the answer comes at once."""
        assert connection.address is not None
        if not await connection.settled(REST_S):
            connection.abort()
            return
        self._forget_old()
        self._idle.setdefault(_route(place, connection.address), []).append(connection)

    def _forget_old(self) -> None:
        if sum(map(len, self._idle.values())) < KEPT:
            return
        self.close()

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


async def _exchanged(connection: Answering, request: bytes) -> tuple[int, bytes | None]:
    try:
        return await connection.exchange(request)
    except NotAnAnswerError:
        raise _Failed(Error.PROTOCOL) from None
    except BaseException as error:
        connection.abort()
        if isinstance(error, OSError):
            raise _Failed(Error.CONNECTION) from None
        raise


def _route(place: Place, address: Address) -> _Route:
    return _Route(place.is_tls, place.host, place.port, address)


def _on_the_wire(place: Place, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [
        f"POST {place.target} HTTP/1.1",
        f"host: {place.authority}",
        "user-agent: Strongbox-Webhooks/1",
        "accept: */*",
        "accept-encoding: identity",
        f"content-length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body


def seconds_of(retry_after: bytes | None) -> float | None:
    """What Retry-After asks for: a number of seconds, or the time until a date; None where it says neither."""
    if retry_after is None:
        return None
    text = retry_after.decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:12]), 10**9))
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
