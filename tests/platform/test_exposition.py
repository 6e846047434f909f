"""A process's port for its metrics: what it serves, where, and what a client can have it hold."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter, Metric
from prometheus_client.core import GaugeMetricFamily

from app.platform.http.sockets import listen
from app.platform.metrics import small_server as pages
from app.platform.metrics.exposition import make_registry, serve
from tests.pace import slow
from tests.platform.peers import closed_port, until


def a_registry() -> CollectorRegistry:
    registry = make_registry()
    Counter("seen", "Seen.", registry=registry).inc(3)
    return registry


async def more() -> Sequence[Metric]:
    return [GaugeMetricFamily("elsewhere", "Read anew.", 7)]


async def away() -> Sequence[Metric]:
    raise ConnectionError("the database is away")


async def broken() -> Sequence[Metric]:
    raise RuntimeError("the secret of the house")


@asynccontextmanager
async def served(
    registry: CollectorRegistry, host: str = "127.0.0.1", **how: object
) -> AsyncIterator[httpx.AsyncClient]:
    port = closed_port()
    async with (
        serve(host, port, registry, **how),  # type: ignore[arg-type]
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        yield client


async def test_metrics_and_health_are_served_and_nothing_else() -> None:
    well = True
    async with served(a_registry(), more=more, is_well=lambda: well) as client:
        answer = await client.get("/metrics?a=1", headers={"Accept": "text/plain;version=0.0.4"})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert "seen_total 3.0\n" in answer.text
        assert "elsewhere 7.0\n" in answer.text
        headed = await client.head("/metrics")
        assert (headed.status_code, headed.content) == (200, b"")
        assert (await client.get("/healthz")).text == "ok\n"
        well = False
        assert (await client.get("/healthz")).status_code == 503
        assert (await client.get("/")).status_code == 404
        refused = await client.post("/metrics", content=b"a" * 200_000)
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


async def test_metrics_that_cannot_be_had_are_a_503_and_a_bug_is_a_500_that_says_nothing() -> None:
    async with served(a_registry(), more=away) as client:
        answer = await client.get("/metrics")
        assert (answer.status_code, answer.text) == (503, "no metrics for now: the database is away\n")
    async with served(a_registry(), more=broken) as client:
        answer = await client.get("/metrics")
        assert answer.status_code == 500
        assert "secret" not in answer.text


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="there is no IPv6 here")
async def test_on_all_of_ipv6_it_is_reached_by_ipv4_as_well() -> None:
    async with served(a_registry(), host="::") as client:
        assert (await client.get("/healthz")).status_code == 200
        port = client.base_url.port
        assert (await client.get(f"http://[::1]:{port}/healthz")).status_code == 200
    with listen("::1", 0) as alone, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", alone.getsockname()[1]), timeout=60)


async def test_a_port_that_is_taken_is_an_error_at_once() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(OSError, match="in use"):
        async with serve("127.0.0.1", taken.getsockname()[1], a_registry()):
            pass


async def ask(
    port: int | None, data: bytes, receive_bytes: int = 0
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    connection = socket.socket()
    if receive_bytes:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    connection.settimeout(0)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=connection, limit=1024)
    writer.write(data)
    return reader, writer


GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (GET * 300, b"200"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /healthz\r\n\r\n", b"400"),
        (b"\r\n\r\n", b"400"),
        (b"\xff\xfe /\0 \r\n\r\n", b"400"),
        (b"GET /healthz HTTP/2.0\r\n\r\n", b"400"),
        (b"GET /" + b"a" * 40_000, b"400"),
        (b"GET /healthz HTTP/1.1\r\nA: " + b"a" * 40_000 + b"\r\n\r\n", b"400"),
    ],
    ids=["many", "nonsense", "HTTP/0.9", "nothing", "bytes", "HTTP/2", "a long target", "a long header"],
)
async def test_whatever_is_asked_there_is_one_answer_and_an_end(sent: bytes, status: bytes) -> None:
    async with served(a_registry()) as client:
        reader, writer = await ask(client.base_url.port, sent)
        everything = b""
        async with asyncio.timeout(60):
            while piece := await reader.read(1024):
                everything += piece
        writer.close()
        assert everything.startswith(b"HTTP/1.1 " + status)
        assert everything.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("sent", [b"", GET[:20], b"GET /metrics HTTP/1.1\r\n\r\n"], ids=["silent", "half", "unread"])
async def test_who_says_nothing_or_takes_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    registry = a_registry()
    Counter("large", "x" * 8_000_000, registry=registry)
    monkeypatch.setattr(pages, "WITHIN_S", 0.3)
    async with served(registry) as client:
        _, writer = await ask(client.base_url.port, sent, receive_bytes=4096)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: _exchanging() == 1)
        await until(lambda: _exchanging() == 0)
        writer.transport.abort()


def _exchanging() -> int:
    return sum("exchange" in repr(task.get_coro()) for task in asyncio.all_tasks())


async def test_of_many_connections_the_oldest_end_and_who_comes_is_served() -> None:
    async with served(a_registry()) as client:
        idle = [await ask(client.base_url.port, b"") for _ in range(5 * pages.MAX_CONNECTIONS)]
        await until(lambda: _exchanging() <= pages.MAX_CONNECTIONS)
        assert (await client.get("/healthz")).status_code == 200
        await until(
            lambda: (
                sum(reader.at_eof() or reader.exception() is not None for reader, _ in idle)
                >= 4 * pages.MAX_CONNECTIONS
            )
        )
        for _, writer in idle:
            writer.transport.abort()
        await until(lambda: _exchanging() == 0)


async def test_the_end_waits_for_nobody_who_takes_nothing() -> None:
    async with asyncio.timeout(slow(pages.END_WITHIN_S + 2)):
        async with served(a_registry()) as client:
            await client.get("/healthz")
            _, writer = await ask(client.base_url.port, b"")
            await until(lambda: _exchanging() == 1)
        writer.close()
