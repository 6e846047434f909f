"""The transport against servers that misbehave, over real sockets."""

import asyncio
import socket

import httpx
import pytest

from app.platform.outgoing.transport import Http1Transport
from tests.pace import slow
from tests.platform.peers import (
    Peer,
    RawServer,
    Script,
    close_after_reading,
    closed_port,
    echo,
    exchange,
    reset_after_reading,
    reset_at_once,
    reset_within_the_head,
    serving,
    silent,
    until,
)

UNSENT = (httpx.ConnectError, httpx.ConnectTimeout)


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
        assert 0.29 < loop.time() - started < slow(10)
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
        first = asyncio.create_task(exchange(narrow, server.url, within_s=60))
        await until(lambda: len(server.requests) == 1)
        with pytest.raises(httpx.ConnectTimeout):
            await exchange(narrow, server.url, within_s=0.1)
        assert not first.done()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert len(server.requests) == 1
    await narrow.aclose()


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
