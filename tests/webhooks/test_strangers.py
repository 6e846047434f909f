"""Whoever is called may do what they like: it costs ten seconds at the most, and nobody else anything."""

import asyncio
import gzip
import time

import pytest

from app.contexts.webhooks.adapters.outgoing.answering import MOST_BODY_BYTES, MOST_HEAD_BYTES
from app.contexts.webhooks.adapters.outgoing.calling import Caller
from app.contexts.webhooks.adapters.postgres import sending
from app.contexts.webhooks.application import send
from app.contexts.webhooks.application.manage_endpoints import Rules
from app.contexts.webhooks.domain.addresses import allowing
from app.contexts.webhooks.domain.delivery import Error, Result
from tests.pace import slow
from tests.platform.peers import Peer, Script, closed_port, serving
from tests.webhooks.office import Office, Received, Resolver, Stranger

RULES = Rules(allowing(["127.0.0.0/8"]), allow_http=True)


@pytest.fixture
def caller() -> Caller:
    return Caller(Resolver(), RULES)


async def called(caller: Caller, url: str, within_s: float = 10.0) -> Result:
    return await caller(url, {"webhook-id": "x"}, b"{}", asyncio.get_running_loop().time() + within_s)


def then(answer: bytes, *, stay: bool = False) -> Script:
    """Reads a request and sends this; then closes, or stays."""

    async def script(peer: Peer) -> None:
        await peer.read()
        await peer.send(answer)
        if stay:
            await asyncio.Event().wait()

    return script


async def hangs(peer: Peer) -> None:
    await peer.read()
    await asyncio.Event().wait()


async def drips(peer: Peer) -> None:
    await peer.read()
    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"a" * 10_000:
        await peer.send(bytes([byte]))
        await asyncio.sleep(0.02)


async def says_so_for_ever(peer: Peer) -> None:
    await peer.read()
    while True:
        await peer.send(b"HTTP/1.1 102 Processing\r\n\r\n")
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("script", [hangs, drips])
async def test_who_takes_longer_than_there_is_has_not_answered(caller: Caller, script: Script) -> None:
    async with serving(script) as server:
        began = time.monotonic()
        result = await called(caller, server.url, 0.3)
    assert result.error is Error.TIMEOUT
    assert 0.3 <= time.monotonic() - began < slow(3)


async def test_interim_answers_without_end_are_no_answer(caller: Caller) -> None:
    async with serving(says_so_for_ever) as server:
        assert (await called(caller, server.url, 30)).error is Error.PROTOCOL


async def test_one_interim_answer_is_passed_over(caller: Caller) -> None:
    answer = b"HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
    async with serving(then(answer)) as server:
        result = await called(caller, server.url)
    assert (result.status, result.retry_after_s) == (201, None)


async def floods(peer: Peer) -> None:
    """Ten gigabytes, as long as somebody takes them."""
    await peer.read()
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n")
    for _ in range(10 * 1024):
        await peer.send(b"x" * 1024 * 1024)


async def floods_in_chunks(peer: Peer) -> None:
    await peer.read()
    await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(10 * 1024):
        await peer.send(b"100000\r\n" + b"x" * 1024 * 1024 + b"\r\n")


async def drips_its_body(peer: Peer) -> None:
    await peer.read()
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        await peer.send(b"x")
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("script", [floods, floods_in_chunks, drips_its_body])
async def test_of_a_body_a_little_is_read_and_the_rest_is_left(caller: Caller, script: Script) -> None:
    async with serving(script) as server:
        began = time.monotonic()
        result = await called(caller, server.url)
        await server.wait_until(lambda: server.open == 0)
    assert result.status == 200
    assert time.monotonic() - began < slow(5)


async def test_of_a_body_no_more_than_four_kib_are_asked_for() -> None:
    from app.contexts.webhooks.adapters.outgoing.answering import Answering

    connection = Answering()
    connection._body = MOST_BODY_BYTES - 10
    assert len(connection.get_buffer(-1)) == 10


CLOSED = Error.CONNECTION
ODD = {
    "closes at once": (b"", CLOSED),
    "closes in the head": (b"HTTP/1.1 200 OK\r\nContent", CLOSED),
    "speaks something else": (b"SSH-2.0-OpenSSH_9.2\r\n", Error.PROTOCOL),
    "has no end of its head": (b"HTTP/1.1 200 OK\r\nX: " + b"a" * MOST_HEAD_BYTES * 2, Error.PROTOCOL),
    "switches": (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", Error.PROTOCOL),
    "breaks off behind the head": (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", None),
    "says its body is packed, which it is not": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        None,
    ),
    "sends a bomb": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n" + gzip.compress(b"0" * 10_000_000),
        None,
    ),
    "speaks HTTP/1.0": (b"HTTP/1.0 204 No Content\r\n\r\n", None),
}


@pytest.mark.parametrize("how", ODD)
async def test_what_is_odd_is_told_by_a_word(caller: Caller, how: str) -> None:
    answer, error = ODD[how]
    async with serving(then(answer)) as server:
        result = await called(caller, server.url)
    assert result.error is error
    assert result.is_success is (error is None)


async def test_who_resets_the_connection_has_not_answered(caller: Caller) -> None:
    async def script(peer: Peer) -> None:
        await peer.read()
        peer.reset()

    async with serving(script) as server:
        assert (await called(caller, server.url)).error is Error.CONNECTION
    assert (await called(caller, f"http://127.0.0.1:{closed_port()}")).error is Error.CONNECTION


async def test_a_connection_serves_again_unless_more_comes_than_was_asked_for(caller: Caller) -> None:
    async with serving(Stranger()) as server:
        for _ in range(5):
            assert (await called(caller, server.url)).status == 200
        assert server.connections == 1

    async def says_more(peer: Peer) -> None:
        while True:
            await peer.read()
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with serving(says_more) as server:
        for _ in range(3):
            assert (await called(caller, server.url)).status == 200
        assert server.connections == 3


async def test_nothing_is_kept_of_who_is_gone(caller: Caller) -> None:
    for _ in range(2):
        async with serving(Stranger()) as server:
            assert (await called(caller, server.url)).status == 200
        assert (await called(caller, server.url)).error is Error.CONNECTION
    assert caller._idle == {}


async def test_who_hangs_or_floods_costs_the_others_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send, "TIMEOUT_S", 300.0)  # nobody who hangs is given up meanwhile
    monkeypatch.setattr(sending, "LEASE_S", 900.0)
    good = Stranger()
    async with serving(hangs) as hanging, serving(floods) as flooding, serving(good) as server:
        silent = [(await office.endpoint(hanging.url))[0] for _ in range(5)]
        full, _ = await office.endpoint(flooding.url)
        endpoint, _ = await office.endpoint(server.url)
        stop = asyncio.Event()
        running = asyncio.create_task(office.sender().run(stop))
        for _ in range(100):
            await office.happen()
        await office.sent(endpoint, 100)
        await office.sent(full, 100)
        given_up = "SELECT count(*) FROM webhooks.attempts WHERE endpoint_id = ANY(%s)"
        assert office.query(given_up, [one.id for one in silent]) == [(0,)], "it was waited for somebody who hangs"
        stop.set()
        for one in hanging.tasks:
            one.cancel()
        await running
    assert len(good.got) == 100
    ((attempts,),) = office.query(
        "SELECT max(n) FROM (SELECT count(*) AS n FROM webhooks.deliveries WHERE attempts > 0 AND endpoint_id = ANY(%s)"
        " GROUP BY endpoint_id) x", [one.id for one in silent],
    )  # fmt: skip
    assert attempts <= 8


async def test_what_a_stranger_answers_is_shown_nowhere(office: Office, capfd: pytest.CaptureFixture[str]) -> None:
    async def tells(peer: Peer, _: Received) -> None:
        await peer.answer(500, b"internal-secret", "X-Secret: internal-secret")

    async with serving(Stranger(tells)) as server, office.sending():
        endpoint, _ = await office.endpoint(server.url + "/path-with-a-token")
        await office.happen()
        await office.attempted(endpoint, 1)
    for table in ("deliveries", "attempts", "events", "lanes"):
        assert "internal-secret" not in str(office.query(f"SELECT * FROM webhooks.{table}"))
    said = "".join(capfd.readouterr())
    assert "path-with-a-token" not in said
    assert "internal-secret" not in said
