"""The transport against servers that misbehave, over real sockets."""

import asyncio
import gzip
import socket
import ssl
import struct
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvloop

from app.adapters.gateway.connection import MAX_BODY_BYTES
from app.adapters.gateway.transport import Http1Transport

Script = Callable[["Peer"], Awaitable[None]]
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout)


class Peer:
    """The server's end of one connection."""

    def __init__(self, server: "RawServer", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer

    async def read(self) -> bytes:
        """The next request, head and body; the connection's end ends the script."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        request = head + await self.reader.readexactly(int(length or 0))
        self.server.requests.append(request)
        return request

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, status: int, body: bytes = b"", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers, "", ""]
        await self.send("\r\n".join(lines).encode() + body)

    def reset(self) -> None:
        """RST in place of FIN."""
        linger_no_time = struct.pack("ii", 1, 0)
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_no_time)
        self.writer.transport.abort()


class RawServer:
    """Runs the test's script on every connection; when the script ends the connection is closed."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.url = ""
        self.requests: list[bytes] = []
        self.connections = 0
        self.open = 0
        self.changed = asyncio.Condition()
        self.tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self.tasks.add(task)
        self.connections += 1
        await self.count(1)
        try:
            await self.script(Peer(self, reader, writer))
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            await self.count(-1)
            self.tasks.discard(task)

    async def count(self, by: int) -> None:
        async with self.changed:
            self.open += by
            self.changed.notify_all()

    async def wait_until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(30), self.changed:
            await self.changed.wait_for(holds)


@asynccontextmanager
async def serving(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """A RawServer on a free loopback port."""
    raw = RawServer(script)
    server = await asyncio.start_server(raw.serve, "127.0.0.1", 0, backlog=1024, ssl=tls)
    raw.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield raw
    finally:
        server.close()
        for task in list(raw.tasks):
            task.cancel()
        await asyncio.gather(*raw.tasks, return_exceptions=True)


def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture
async def transport() -> AsyncIterator[Http1Transport]:
    made = Http1Transport(connections=8)
    yield made
    await made.aclose()


async def exchange(
    transport: Http1Transport, url: str, *, method: str = "POST", within_s: float = 5.0, **more: Any
) -> httpx.Response:
    deadline = asyncio.get_running_loop().time() + within_s
    more = {"content": b'{"n":1}', **more} if method == "POST" else more
    request = httpx.Request(method, url, extensions={"deadline": deadline}, **more)
    response = await transport.handle_async_request(request)
    await response.aread()
    return response


async def until(holds: Callable[[], bool]) -> None:
    """Wait, within a limit, for what nothing tells of."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def hang(peer: Peer) -> None:
    """Say nothing until the client hangs up."""
    await peer.reader.read()


async def silent(peer: Peer) -> None:
    await peer.read()
    await hang(peer)


async def echo(peer: Peer) -> None:
    while True:
        await peer.answer(200, (await peer.read()).partition(b"\r\n\r\n")[2])


async def test_requests_are_answered_over_one_connection_kept_alive(transport: Http1Transport) -> None:
    async with serving(echo) as server:
        for _ in range(3):
            answer = await exchange(transport, server.url)
            assert (answer.status_code, answer.content) == (200, b'{"n":1}')
        assert server.connections == 1


async def test_it_serves_an_httpx_client(transport: Http1Transport) -> None:
    async with serving(echo) as server, httpx.AsyncClient(transport=transport, trust_env=False) as client:
        answer = await client.post(server.url + "/a%2Fb?c=%20d", content=b"body")
        assert answer.text == "body"
        assert server.requests[0].startswith(b"POST /a%2Fb?c=%20d HTTP/1.1\r\n")


@pytest.mark.parametrize("part", ["head", "body"])
async def test_the_deadline_ends_an_answer_that_drips(transport: Http1Transport, part: str) -> None:
    async def drip(peer: Peer) -> None:
        await peer.read()
        await peer.send(
            b"HTTP/1.1 200 OK\r\nX: " if part == "head" else b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"
        )
        while True:
            await peer.send(b"x")
            await asyncio.sleep(0.01)

    loop = asyncio.get_running_loop()
    async with serving(drip) as server:
        started = loop.time()
        with pytest.raises(httpx.ReadTimeout):
            await exchange(transport, server.url, within_s=0.3)
        assert 0.29 < loop.time() - started < 1
        await server.wait_until(lambda: server.open == 0)


async def test_a_refused_connection_wrote_nothing(transport: Http1Transport) -> None:
    with pytest.raises(httpx.ConnectError):
        await exchange(transport, f"http://127.0.0.1:{closed_port()}")


async def test_a_name_that_does_not_resolve_wrote_nothing(transport: Http1Transport) -> None:
    with pytest.raises(UNSENT):
        await exchange(transport, "http://gateway.invalid:1")


async def test_a_connection_that_is_never_made_wrote_nothing(transport: Http1Transport) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        filling = [socket.socket() for _ in range(4)]  # the queue of one is full, further SYNs are dropped
        try:
            for sock in filling:
                sock.settimeout(0)
                sock.connect_ex(listener.getsockname())
            with pytest.raises(httpx.ConnectTimeout):
                await exchange(transport, f"http://127.0.0.1:{listener.getsockname()[1]}", within_s=0.3)
        finally:
            for sock in filling:
                sock.close()


async def test_waiting_for_a_connection_of_a_full_pool_wrote_nothing() -> None:
    narrow = Http1Transport(connections=1)
    async with serving(silent) as server:
        first = asyncio.create_task(exchange(narrow, server.url, within_s=0.4))
        await server.wait_until(lambda: server.connections == 1)
        with pytest.raises(httpx.ConnectTimeout):
            await exchange(narrow, server.url, within_s=0.1)
        with pytest.raises(httpx.ReadTimeout):
            await first
        assert len(server.requests) == 1
    await narrow.aclose()


async def reset_at_once(peer: Peer) -> None:
    peer.reset()


async def reset_after_reading(peer: Peer) -> None:
    await peer.read()
    peer.reset()


async def close_after_reading(peer: Peer) -> None:
    await peer.read()


async def reset_within_the_head(peer: Peer) -> None:
    await peer.read()
    await peer.send(b"HTTP/1.1 20")
    peer.reset()


@pytest.mark.parametrize("script", [reset_at_once, reset_after_reading, close_after_reading, reset_within_the_head])
async def test_a_connection_lost_without_an_answer_is_a_read_error(transport: Http1Transport, script: Script) -> None:
    async with serving(script) as server:
        with pytest.raises(httpx.ReadError):
            await exchange(transport, server.url)
        assert server.connections == 1


async def test_a_post_is_not_sent_again_when_an_idle_connection_dies_under_it(transport: Http1Transport) -> None:
    async def once(peer: Peer) -> None:
        await peer.read()
        await peer.answer(200)
        await peer.read()

    async with serving(once) as server:
        await exchange(transport, server.url)
        with pytest.raises(httpx.ReadError):
            await exchange(transport, server.url)
        assert (len(server.requests), server.connections) == (2, 1)


async def test_a_get_whose_second_sending_finds_nobody_counts_as_sent(transport: Http1Transport) -> None:
    listening: list[asyncio.Server] = []

    async def once_then_go_away(peer: Peer) -> None:
        await peer.read()
        await peer.answer(200)
        await peer.read()
        listening[0].close()

    raw = RawServer(once_then_go_away)
    listening.append(await asyncio.start_server(raw.serve, "127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening[0].sockets[0].getsockname()[1]}"
    await exchange(transport, url, method="GET")
    with pytest.raises(httpx.ReadError):
        await exchange(transport, url, method="GET")
    assert len(raw.requests) == 2


async def test_a_connection_that_the_server_closed_while_idle_is_replaced(transport: Http1Transport) -> None:
    async def one_each(peer: Peer) -> None:
        await peer.read()
        await peer.answer(200)

    async with serving(one_each) as server:
        for _ in range(3):
            assert (await exchange(transport, server.url)).status_code == 200
            await until(lambda: not transport._open)
        assert server.connections == 3


async def test_a_redirect_is_an_answer_and_is_not_followed(transport: Http1Transport) -> None:
    async with serving(echo) as target:

        async def elsewhere(peer: Peer) -> None:
            await peer.read()
            await peer.answer(307, b"", f"Location: {target.url}/")

        async with serving(elsewhere) as server, httpx.AsyncClient(transport=transport, trust_env=False) as client:
            assert (await client.post(server.url, content=b"x")).status_code == 307
        assert target.connections == 0


@pytest.mark.parametrize("head", [b"Content-Length: 100000000\r\n\r\n", b"\r\n"])
async def test_an_answer_without_an_end_is_cut_off(transport: Http1Transport, head: bytes) -> None:
    sent = [0]

    async def endless(peer: Peer) -> None:
        await peer.read()
        await peer.send(b"HTTP/1.1 200 OK\r\n" + head)
        while True:
            await peer.send(b"x" * 10_000)
            sent[0] += 10_000

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


async def test_over_tls_the_certificate_is_checked(transport: Http1Transport, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    make += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    await asyncio.to_thread(subprocess.run, make, check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    async with serving(echo, tls) as server:
        url = server.url.replace("http://127.0.0.1", "https://localhost")
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await exchange(transport, url)
        assert not server.requests
        transport._tls = ssl.create_default_context(cafile=certificate)
        for _ in range(2):
            assert (await exchange(transport, url)).content == b'{"n":1}'
        assert transport._open


async def test_cookies_are_neither_kept_nor_sent(transport: Http1Transport) -> None:
    async def biscuit(peer: Peer) -> None:
        while True:
            await peer.read()
            await peer.answer(200, b"", "Set-Cookie: a=b; Path=/")

    async with serving(biscuit) as server, httpx.AsyncClient(transport=transport, trust_env=False) as client:
        for _ in range(2):
            await client.post(server.url)
        assert not client.cookies
        assert b"cookie" not in server.requests[1].lower()


async def test_proxies_of_the_environment_are_not_used(
    transport: Http1Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    async with serving(echo) as server:
        assert (await exchange(transport, server.url)).status_code == 200


async def test_credentials_in_the_url_go_into_the_header_that_httpx_makes(transport: Http1Transport) -> None:
    async with serving(echo) as server, httpx.AsyncClient(transport=transport, trust_env=False) as client:
        await client.post(server.url.replace("//", "//user:pass@"), content=b"x")
        assert b"authorization: basic dxnlcjpwyxnz" in server.requests[0].lower()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_five_hundred_cancelled_requests_leak_no_connection(run: Callable[[Any], None]) -> None:
    """Cancelled while waiting for the pool, while connecting, and while waiting for the answer, on either loop: they
    differ in how connections end."""
    run(cancelling_five_hundred())


async def cancelling_five_hundred() -> None:
    transport = Http1Transport(connections=8)

    async def slow(peer: Peer) -> None:
        while True:
            request = await peer.read()
            if b"/slow" in request:
                return await hang(peer)
            await peer.answer(200)

    async with serving(slow) as server:
        for round_ in range(10):
            tasks = [asyncio.create_task(exchange(transport, server.url + "/slow")) for _ in range(50)]
            for _ in range(round_):
                await asyncio.sleep(0.001)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(result, asyncio.CancelledError) for result in results)
        answers = await asyncio.gather(*(exchange(transport, server.url) for _ in range(32)))
        assert [answer.status_code for answer in answers] == [200] * 32
        await server.wait_until(lambda: server.open <= 8)
        await until(lambda: transport._open == {kept for idle in transport._idle.values() for kept in idle})
        assert transport._slots._value == 8
    await transport.aclose()
