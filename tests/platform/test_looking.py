"""Looks at other parts of the service end, whatever those answer."""

import asyncio
import ssl

import httpx
import pytest

from app.platform.http.client import ask
from tests.platform.peers import Peer, Script, closed_port, echo, serving, silent


async def flood(peer: Peer) -> None:
    await peer.read()
    await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        await peer.send(b"x" * 100_000)


async def drip(peer: Peer) -> None:
    await peer.read()
    await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while not await ended(peer):
        await peer.send(b"x")


async def ended(peer: Peer) -> bool:
    """Whether the client is gone, after a while."""
    await asyncio.sleep(0.05)  # a pace, not a wait
    return peer.reader.at_eof()


async def test_an_answer_is_its_status_and_its_content() -> None:
    async with serving(echo) as server:
        answer = await ask("PUT", server.url, 60, {"a": 1})
    assert (answer.status_code, answer.json()) == (200, {"a": 1})


async def test_over_plain_http_no_authorities_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> ssl.SSLContext:
        raise AssertionError("whom to trust is not asked here")

    monkeypatch.setattr(ssl, "create_default_context", read)
    async with serving(echo) as server:
        assert (await ask("GET", server.url, 60)).status_code == 200
        with pytest.raises(AssertionError):
            await ask("GET", server.url.replace("http://", "HTTPS://"), 60)


@pytest.mark.parametrize(("script", "kind"), [(flood, httpx.RemoteProtocolError), (drip, httpx.ReadTimeout)])
async def test_an_answer_without_an_end_is_an_error_in_time(script: Script, kind: type[Exception]) -> None:
    async with serving(script) as server:
        with pytest.raises(kind):
            await ask("GET", server.url, 2.0 if script is drip else 60)
        await server.wait_until(lambda: server.open == 0)


async def test_no_answer_is_an_error_in_time() -> None:
    async with serving(silent) as server:
        with pytest.raises(httpx.ReadTimeout):
            await ask("GET", server.url, 2.0)
    with pytest.raises(httpx.ConnectError):
        await ask("GET", f"http://127.0.0.1:{closed_port()}", 60)
