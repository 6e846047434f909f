"""What the gateway serves as a report, and what it serves in its place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.contexts.reconciliation.adapters.gateway.reports import HttpReports
from app.contexts.reconciliation.domain.refusals import NotAReport
from app.kernel.errors import Unavailable
from tests.reconciliation.desk import DAY, report

CSV = b"HTTP/1.1 200 OK\r\ncontent-type: text/csv; charset=utf-8\r\n"


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A gateway that sends these bytes and hangs up; its URL, and what it was asked."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/", asked


async def fetched(answer: bytes) -> bytes:
    async with answering(answer) as (url, _), HttpReports(url).of(DAY) as pieces:
        return b"".join(pieces)


async def test_it_is_asked_for_by_its_day_and_read_to_its_end() -> None:
    body = report("a line", "another")
    answer = CSV + b"content-length: %d\r\n\r\n%b" % (len(body), body)
    async with answering(answer) as (url, asked), HttpReports(url).of(DAY) as pieces:
        assert b"".join(pieces) == body
    assert asked[0].startswith(b"GET /api/reports/2025-06-10 HTTP/1.1\r\n")


async def test_one_in_chunks_is_whole() -> None:
    assert await fetched(CSV + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n") == b"abcde"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        CSV + b"content-length: 5\r\n\r\nabc",
        CSV + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 429 Later\r\ncontent-length: 0\r\n\r\n",
    ],
)
async def test_one_that_does_not_come_to_its_end_is_asked_for_again_later(answer: bytes) -> None:
    with pytest.raises(Unavailable):
        await fetched(answer)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 None\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 302 There\r\nlocation: /\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    ],
)
async def test_what_is_served_in_its_place_is_none(answer: bytes) -> None:
    with pytest.raises(NotAReport):
        await fetched(answer)


async def test_a_gateway_that_nobody_has_named_serves_none() -> None:
    with pytest.raises(Unavailable, match="GATEWAY_URL is not set"):
        async with HttpReports("").of(DAY):
            pass
