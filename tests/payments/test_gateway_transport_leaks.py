"""Lost connections and cancelled requests leave nothing behind, neither connections nor garbage."""

import asyncio
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from app.platform.outgoing.transport import Http1Transport
from tests.platform.peers import (
    Peer,
    exchange,
    hang,
    serving,
    until,
)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
@pytest.mark.parametrize("ends", ["of itself", "aborted"])
def test_a_lost_connection_is_freed_without_the_collector(run: Callable[[Any], None], ends: str) -> None:
    gc.disable()
    try:
        run(losing_a_connection(ends))
    finally:
        gc.enable()


async def losing_a_connection(ends: str) -> None:
    transport = Http1Transport(connections=8)

    async def one_each(peer: Peer) -> None:
        await peer.read()
        await peer.answer(200)
        if ends == "aborted":
            await hang(peer)

    async with serving(one_each) as server:
        await exchange(transport, server.url)
        (first,) = (weakref.ref(connection) for connection in transport._open)
        if ends == "aborted":
            transport._open.copy().pop().abort()
        await until(lambda: not transport._open)
        await exchange(transport, server.url)  # which takes the lost one out of the idle ones
        await until(lambda: first() is None)
    await transport.aclose()


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
