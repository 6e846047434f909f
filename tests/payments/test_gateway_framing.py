"""What the transport takes for an answer, and what it never does."""

import asyncio
import gzip

import httpx
import pytest

from app.platform.outgoing.connection import MAX_BODY_BYTES
from app.platform.outgoing.transport import Http1Transport
from tests.platform.peers import Peer, echo, exchange, hang, serving, until

CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n"
ENDLESS = {
    "a body of a length": (b"Content-Length: 100000000\r\n\r\n", b"x" * 10_000),
    "a body without a length": (b"\r\n", b"x" * 10_000),
    "chunks": (CHUNKS, b"1\r\nx\r\n" * 2_000),
    "a chunk's extension": (CHUNKS + b"1;", b"x" * 10_000),
    "trailers": (CHUNKS + b"0\r\n", b"A: b\r\n" * 2_000),
    "a trailer": (CHUNKS + b"0\r\nA: ", b"x" * 10_000),
    "headers": (b"", b"A: b\r\n" * 2_000),
    "a header": (b"A: ", b"x" * 10_000),
    "interim answers": (b"Content-Length: 0\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" * 500),
}


@pytest.mark.parametrize("kind", ENDLESS)
async def test_an_answer_without_an_end_is_cut_off(transport: Http1Transport, kind: str) -> None:
    head, piece = ENDLESS[kind]
    status = b"103 Early Hints" if kind == "interim answers" else b"200 OK"
    sent = [0]

    async def endless(peer: Peer) -> None:
        await peer.read()
        await peer.send(b"HTTP/1.1 " + status + b"\r\n" + head)
        while True:
            await peer.send(piece)
            sent[0] += len(piece)

    async with serving(endless) as server:
        with pytest.raises(httpx.RemoteProtocolError, match="too long"):
            await exchange(transport, server.url)
        await server.wait_until(lambda: server.open == 0)
        assert sent[0] < 100_000_000


async def test_the_longest_answer_allowed_arrives_whole(transport: Http1Transport) -> None:
    async with serving(echo) as server:
        whole = b"x" * MAX_BODY_BYTES
        assert (await exchange(transport, server.url, content=whole)).content == whole


async def test_a_compressed_answer_is_refused_and_never_unpacked(transport: Http1Transport) -> None:
    async def bomb(peer: Peer) -> None:
        await peer.read()
        await peer.answer(200, gzip.compress(b"0" * 10_000_000), "Content-Encoding: gzip")

    async with serving(bomb) as server:
        with pytest.raises(httpx.RemoteProtocolError, match="encoded"):
            await exchange(transport, server.url)


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x00" * 100,
        b"\x16\x03\x01\x02\x00",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX\x00Y: z\r\n\r\n",
    ],
)
async def test_an_answer_that_is_not_http_is_a_protocol_error(transport: Http1Transport, garbage: bytes) -> None:
    async def talk(peer: Peer) -> None:
        await peer.read()
        await peer.send(garbage)

    async with serving(talk) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            await exchange(transport, server.url)


LATER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"


@pytest.mark.parametrize("extra", [LATER + b"evil", b"x", LATER[:10]])
async def test_bytes_behind_an_answer_never_become_the_answer_to_the_next_request(
    transport: Http1Transport, extra: bytes
) -> None:
    async def two_for_one(peer: Peer) -> None:
        await peer.read()
        await peer.send(LATER + b"good" + extra)
        await hang(peer)

    async with serving(two_for_one) as server:
        for _ in range(3):
            assert (await exchange(transport, server.url)).content == b"good"
        assert server.connections == 3


async def test_bytes_that_come_while_nothing_is_asked_end_the_connection(transport: Http1Transport) -> None:
    talk = asyncio.Event()

    async def talkative(peer: Peer) -> None:
        await peer.read()
        await peer.send(LATER + b"good")
        await talk.wait()
        await peer.send(LATER + b"evil")
        await hang(peer)

    async with serving(talkative) as server:
        assert (await exchange(transport, server.url)).content == b"good"
        talk.set()
        await until(lambda: not transport._open)
        assert (await exchange(transport, server.url)).content == b"good"
        assert server.connections == 2


async def test_an_interim_answer_is_not_the_answer(transport: Http1Transport) -> None:
    async def hints_first(peer: Peer) -> None:
        while True:
            await peer.read()
            await peer.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\n")
            await peer.answer(201, b"made")

    async with serving(hints_first) as server:
        for _ in range(2):
            answer = await exchange(transport, server.url)
            assert (answer.status_code, answer.content) == (201, b"made")
            assert "Retry-After" not in answer.headers
        assert server.connections == 1


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", b"to the end"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end", b"to the end"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nfour", b"four"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nfo\r\n2\r\nur\r\n0\r\nX: y\r\n\r\n", b"four"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
async def test_every_framing_of_http_1_is_understood(transport: Http1Transport, answer: bytes, content: bytes) -> None:
    async def talk(peer: Peer) -> None:
        await peer.read()
        for byte in answer:
            await peer.send(bytes([byte]))

    async with serving(talk) as server:
        assert (await exchange(transport, server.url)).content == content


async def test_a_header_that_would_end_its_line_is_never_sent(transport: Http1Transport) -> None:
    async with serving(echo) as server:
        with pytest.raises(httpx.LocalProtocolError):
            await exchange(transport, server.url, headers={"X": "a\r\nY: b"})
        assert not server.requests
