"""The gateway's adapter: when its breaker opens, and whom its gate lets in meanwhile. Over real sockets; the gate alone
with a clock that the test turns."""

import asyncio
from typing import Any

import pytest

from app.contexts.payments.adapters.gateway.resilience import ResilientGateway
from app.contexts.payments.domain.outcome import Approved, NotSent, Unknown, Voided
from app.contexts.payments.domain.refusals import GatewayUnavailable
from tests.pace import slow
from tests.payments.breaking import DownError, Setting, at, attempt, good
from tests.payments.gateways import (
    CHARGE,
    DECLINED,
    ERROR,
    PAYMENT,
    TIMEOUT,
    TOMBSTONE,
    adapter,
    answering,
    deadline,
    drop,
)
from tests.payments.test_gateway_answers import a_payment
from tests.platform.peers import Peer, closed_port, serving, silent

__all__ = ["at"]


async def test_a_dead_gateway_is_called_few_times_because_the_breaker_is_inside_the_retry() -> None:
    """Four payments of three attempts would be twelve calls; five failures in a row open the breaker."""
    async with serving(answering((500, b""))) as server, adapter(server.url, breaker_failures=5) as gateway:
        outcomes = [await gateway.charge(a_payment(), deadline()) for _ in range(4)]
        assert len(server.requests) == 5
    assert outcomes == [Unknown(ERROR), Unknown(ERROR), NotSent(TIMEOUT), NotSent(TIMEOUT)]


@pytest.mark.parametrize("failure", [(500, b""), (429, b""), (201, b"garbage"), (302, b""), drop, silent])
async def test_what_is_no_outcome_opens_the_breaker(failure: Any) -> None:
    async with (
        serving(answering(failure)) as server,
        adapter(server.url, timeout_s=0.1, breaker_failures=3) as gateway,
    ):
        await gateway.charge(PAYMENT, deadline())
        assert gateway.breaker_state == "open"
        with pytest.raises(GatewayUnavailable) as refused:
            gateway.gate.enter()
        assert 60 - slow(1) <= refused.value.retry_after_s <= 60


async def test_a_gateway_that_cannot_be_reached_opens_the_breaker() -> None:
    async with adapter(f"http://127.0.0.1:{closed_port()}", breaker_failures=2) as gateway:
        assert await gateway.charge(PAYMENT, deadline()) == NotSent(TIMEOUT)
        assert gateway.breaker_state == "open"


@pytest.mark.parametrize("outcome", [(201, DECLINED), (409, TOMBSTONE)])
async def test_declined_and_voided_are_good_answers_to_the_breaker(outcome: tuple[int, bytes]) -> None:
    script = answering((500, b""), outcome, (500, b""), outcome)
    async with serving(script) as server, adapter(server.url, breaker_failures=2) as gateway:
        for _ in range(2):
            await gateway.charge(PAYMENT, deadline())
        assert gateway.breaker_state == "closed"


async def test_asking_and_voiding_go_on_while_the_breaker_is_open_and_leave_it_so() -> None:
    script = answering((500, b""), (200, CHARGE), (200, TOMBSTONE))
    async with serving(script) as server, adapter(server.url, attempts=1, breaker_failures=1) as gateway:
        await gateway.charge(PAYMENT, deadline())
        assert await gateway.ask(PAYMENT, deadline()) == Approved()
        assert await gateway.void(PAYMENT, deadline()) == Voided(ERROR)
        assert gateway.breaker_state == "open"


async def test_failing_questions_and_voids_do_not_open_the_breaker() -> None:
    async with serving(answering((500, b""))) as server, adapter(server.url, breaker_failures=1) as gateway:
        await gateway.ask(PAYMENT, deadline())
        await gateway.void(PAYMENT, deadline())
        assert gateway.breaker_state == "closed"


async def half_open(gateway: ResilientGateway) -> None:
    await gateway.charge(PAYMENT, deadline())
    async with asyncio.timeout(60):
        while gateway.breaker_state != "half_open":  # noqa: ASYNC110 -- it is time that is waited for
            await asyncio.sleep(0.01)


async def test_a_good_probe_opens_the_gate_again() -> None:
    script = answering((500, b""), (201, CHARGE))
    async with (
        serving(script) as server,
        adapter(server.url, attempts=1, breaker_failures=1, breaker_reset_s=0.2) as gateway,
    ):
        await half_open(gateway)
        with gateway.gate.enter():
            with pytest.raises(GatewayUnavailable):
                gateway.gate.enter()
            assert await gateway.charge(PAYMENT, deadline()) == Approved()
            with gateway.gate.enter():
                assert gateway.gate.in_use == 2
        assert gateway.gate.in_use == 0


async def test_a_bad_probe_is_one_call_and_closes_the_gate_for_as_long_again() -> None:
    async with (
        serving(answering((500, b""))) as server,
        adapter(server.url, attempts=3, breaker_failures=1, breaker_reset_s=4.0) as gateway,
    ):
        await half_open(gateway)
        with gateway.gate.enter():
            assert await gateway.charge(PAYMENT, deadline()) == Unknown(ERROR)
        assert len(server.requests) == 2
        with pytest.raises(GatewayUnavailable):
            gateway.gate.enter()


async def test_a_probe_cancelled_in_its_call_leaves_the_place_to_the_next() -> None:
    script = answering((500, b""), silent, (201, CHARGE))
    async with (
        serving(script) as server,
        adapter(server.url, attempts=1, breaker_failures=1, breaker_reset_s=0.2) as gateway,
    ):
        await half_open(gateway)

        async def probe() -> object:
            with gateway.gate.enter():
                return await gateway.charge(PAYMENT, deadline())

        first = asyncio.create_task(probe())
        async with asyncio.timeout(60):
            while len(server.requests) < 2:  # noqa: ASYNC110 -- the server has no event for it
                await asyncio.sleep(0.01)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert gateway.breaker_state == "half_open"
        assert await probe() == Approved()


async def test_five_hundred_cancelled_charges_leak_nothing() -> None:
    """No slot, no connection, and no failure in the breaker's count."""

    async def slow_then_good(peer: Peer) -> None:
        while True:
            request = await peer.read()
            if str(PAYMENT.id).encode() in request:
                await peer.answer(201, CHARGE)
            else:
                await silent(peer)

    async with (
        serving(slow_then_good) as server,
        adapter(server.url, timeout_s=30.0, concurrency=50, breaker_failures=1) as gateway,
    ):

        async def pay() -> object:
            with gateway.gate.enter():
                return await gateway.charge(a_payment(), deadline(60))

        for round_ in range(10):
            tasks = [asyncio.create_task(pay()) for _ in range(50)]
            for _ in range(round_):
                await asyncio.sleep(0.002)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(result, asyncio.CancelledError) for result in results)
        assert gateway.gate.in_use == 0
        assert gateway.breaker_state == "closed"
        outcomes = await asyncio.gather(*(gateway.charge(PAYMENT, deadline(60)) for _ in range(200)))
        assert set(outcomes) == {Approved()}
        transport: Any = gateway._exchange._transport
        assert transport._open == {connection for idle in transport._idle.values() for connection in idle}
        assert transport._slots._value == 100


async def test_a_full_gate_refuses_at_once_until_a_slot_is_left(at: Setting) -> None:
    with at.gate.enter():
        with at.gate.enter():
            assert at.gate.in_use == 2
            with pytest.raises(GatewayUnavailable) as refused:
                at.gate.enter()
            assert refused.value.retry_after_s == 1
        with at.gate.enter():
            pass
    assert at.gate.in_use == 0


async def test_a_slot_comes_back_when_its_block_fails(at: Setting) -> None:
    with pytest.raises(DownError), at.gate.enter():
        raise DownError
    assert at.gate.in_use == 0


async def test_leaving_a_slot_twice_frees_it_once(at: Setting) -> None:
    slot = at.gate.enter()
    with slot, slot:
        pass
    with at.gate.enter(), at.gate.enter(), pytest.raises(GatewayUnavailable):
        at.gate.enter()


async def test_the_gate_of_an_open_breaker_says_when_to_come_back_and_never_zero(at: Setting) -> None:
    await at.fail(3)
    for elapsed_s, retry_after_s in ((0.0, 4), (0.5, 4), (2.6, 1), (0.8, 1)):
        at.now_s += elapsed_s
        with pytest.raises(GatewayUnavailable) as refused:
            at.gate.enter()
        assert refused.value.retry_after_s == retry_after_s


async def test_half_open_the_gate_lets_one_probe_in(at: Setting) -> None:
    await at.half_open()
    with at.gate.enter():
        with pytest.raises(GatewayUnavailable) as refused:
            at.gate.enter()
        assert refused.value.retry_after_s == 1
        await attempt(at.breaker, good)
        with at.gate.enter():
            assert at.gate.in_use == 2


async def test_a_probe_that_never_called_leaves_the_place_to_the_next(at: Setting) -> None:
    """A replay takes a slot and calls nothing: it is neither a success nor a failure."""
    await at.half_open()
    for _ in range(3):
        with at.gate.enter():
            pass
        assert at.state() == "half_open"
    with at.gate.enter():
        await attempt(at.breaker, good)
    assert at.state() == "closed"


async def test_slots_held_since_before_it_opened_do_not_take_the_probes_place(at: Setting) -> None:
    with at.gate.enter():
        await at.half_open()
        with at.gate.enter():
            pass
        with at.gate.enter(), pytest.raises(GatewayUnavailable):
            at.gate.enter()
