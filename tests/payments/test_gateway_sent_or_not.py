"""What the gateway's adapter says was not sent, and what it only does not know. Over real sockets."""

import asyncio

import pytest

from app.contexts.payments.domain.outcome import Approved, FailureCode, NotSent, Unknown
from tests.payments.gateways import CHARGE, ERROR, PAYMENT, TIMEOUT, adapter, answering, deadline, drop
from tests.payments.test_gateway_answers import a_payment
from tests.platform.peers import Peer, RawServer, closed_port, reset_after_reading, serving


async def test_a_gateway_that_cannot_be_reached_was_sent_nothing() -> None:
    async with adapter(f"http://127.0.0.1:{closed_port()}") as gateway:
        assert await gateway.charge(PAYMENT, deadline()) == NotSent(TIMEOUT)


async def test_a_charge_whose_time_is_over_before_it_began_was_not_sent_and_blames_nobody() -> None:
    async with serving(answering((201, CHARGE))) as server, adapter(server.url) as gateway:
        assert await gateway.charge(PAYMENT, deadline(0.9)) == NotSent(FailureCode.DEADLINE_EXCEEDED)
        assert server.connections == 0


async def test_a_charge_that_an_open_breaker_refuses_was_not_sent() -> None:
    async with serving(answering((500, b""))) as server, adapter(server.url, breaker_failures=1) as gateway:
        assert await gateway.charge(PAYMENT, deadline()) == Unknown(ERROR)
        assert await gateway.charge(a_payment(), deadline()) == NotSent(TIMEOUT)
        assert len(server.requests) == 1


async def test_a_connection_lost_after_it_was_made_is_unknown() -> None:
    async with serving(reset_after_reading) as server, adapter(server.url, attempts=1) as gateway:
        assert await gateway.charge(PAYMENT, deadline()) == Unknown(TIMEOUT)


async def test_an_idle_connection_that_dies_under_a_charge_is_unknown() -> None:
    async with serving(answering((201, CHARGE), drop)) as server, adapter(server.url, attempts=1) as gateway:
        assert await gateway.charge(PAYMENT, deadline()) == Approved()
        assert await gateway.charge(PAYMENT, deadline()) == Unknown(TIMEOUT)
        assert (len(server.requests), server.connections) == (2, 1)


@pytest.mark.parametrize("why", [ERROR, TIMEOUT])
async def test_one_attempt_sent_among_attempts_that_were_not_is_unknown(why: FailureCode) -> None:
    listening: list[asyncio.Server] = []

    async def once_then_go_away(peer: Peer) -> None:
        await peer.read()
        listening[0].close()
        if why is ERROR:
            await peer.answer(500, b"", "Connection: close")

    raw = RawServer(once_then_go_away)
    listening.append(await asyncio.start_server(raw.serve, "127.0.0.1", 0))
    attempts: list[str] = []
    async with adapter(
        f"http://127.0.0.1:{listening[0].sockets[0].getsockname()[1]}",
        observe=lambda _operation, _outcome, made, _elapsed_s: attempts.extend(made),
    ) as gateway:
        assert await gateway.charge(PAYMENT, deadline()) == Unknown(why)
    assert attempts == ["error" if why is ERROR else "timeout", "unsent", "unsent"]
    assert len(raw.requests) == 1
