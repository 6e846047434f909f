"""The gateway's adapter: when it tries again, when it lets nobody in, and what it never claims. Over real sockets."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.adapters.gateway.resilience import Observer, ResilientGateway
from app.adapters.gateway.transport import Http1Transport
from app.application.ports import Gate, Gateway
from app.domain.payments.provider import (
    Absent,
    Approved,
    Declined,
    FailureCode,
    Mismatched,
    NotSent,
    Unknown,
    Voided,
)
from app.domain.refusals import GatewayUnavailable
from tests.integration.test_gateway_transport import (
    Peer,
    RawServer,
    Script,
    closed_port,
    reset_after_reading,
    serving,
    silent,
    until,
)
from tests.unit.test_gateway_answers import a_payment, charge_of, tombstone_of

ERROR, TIMEOUT = FailureCode.GATEWAY_ERROR, FailureCode.GATEWAY_TIMEOUT
REPLY_AFTER_S = 5.0


def deadline(within_s: float = REPLY_AFTER_S) -> float:
    return asyncio.get_running_loop().time() + within_s


@asynccontextmanager
async def adapter(
    url: str,
    *,
    timeout_s: float = 1.0,
    attempts: int = 3,
    concurrency: int = 8,
    breaker_failures: int = 100,
    breaker_reset_s: float = 60.0,
    finish_budget_s: float = 1.0,
    observe: Observer | None = None,
) -> AsyncIterator[ResilientGateway]:
    made = ResilientGateway(
        url,
        transport=Http1Transport(connections=2 * concurrency),
        timeout_s=timeout_s,
        attempts=attempts,
        concurrency=concurrency,
        breaker_failures=breaker_failures,
        breaker_reset_s=breaker_reset_s,
        finish_budget_s=finish_budget_s,
        observe=observe,
    )
    try:
        yield made
    finally:
        await made.aclose()


def answering(*answers: tuple[int, bytes] | tuple[int, bytes, str] | Script) -> Script:
    """Each request gets the next answer, the last one for ever; a script takes the connection over."""
    left = list(answers)

    async def script(peer: Peer) -> None:
        while True:
            await peer.read()
            answer = left.pop(0) if len(left) > 1 else left[0]
            if callable(answer):
                return await answer(peer)
            await peer.answer(*answer)

    return script


async def drop(peer: Peer) -> None:
    peer.reset()


PAYMENT = a_payment()
CHARGE = charge_of(PAYMENT)
DECLINED = charge_of(PAYMENT, status="DECLINED", decline_code="DO_NOT_HONOR")
TOMBSTONE = tombstone_of(PAYMENT)


async def test_it_is_what_the_use_cases_ask_for() -> None:
    """The type checker reads the annotations."""
    async with adapter("http://127.0.0.1:1") as made:
        gateway: Gateway = made
        gate: Gate = made.gate
        assert gateway
        assert gate


async def test_the_requests_are_those_of_the_contract() -> None:
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    payment = replace(PAYMENT, traceparent=traceparent)
    script = answering((201, CHARGE), (200, CHARGE), (200, TOMBSTONE))
    async with serving(script) as server, adapter(server.url + "/") as gateway:
        await gateway.charge(payment, deadline())
        await gateway.ask(payment, deadline())
        await gateway.void(payment, deadline())
    charge, ask, void = server.requests
    head, _, body = charge.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /charges HTTP/1.1\r\n")
    assert f"idempotency-key: {payment.id}\r\n".encode() in head.lower()
    assert b"content-type: application/json" in head.lower()
    assert json.loads(body) == {
        "payment_id": str(payment.id),
        "provider_id": str(payment.provider_id),
        "external_reference": "Rechnung № 7",
        "amount": 12_345,
        "currency": "USD",
    }
    assert ask.startswith(f"GET /charges/{payment.id} HTTP/1.1\r\n".encode())
    assert void.startswith(f"POST /charges/{payment.id}/void HTTP/1.1\r\n".encode())
    assert all(f"traceparent: {traceparent}".encode() in request for request in server.requests)


async def test_a_payment_without_a_trace_sends_none() -> None:
    async with serving(answering((201, CHARGE))) as server, adapter(server.url) as gateway:
        await gateway.charge(PAYMENT, deadline())
        assert b"traceparent" not in server.requests[0].lower()


# Trying again.


@pytest.mark.parametrize("failure", [(500, b""), (201, b"garbage"), drop])
async def test_a_failed_charge_is_sent_again_as_it_was(failure: Any) -> None:
    async with serving(answering(failure, failure, (200, CHARGE))) as server, adapter(server.url) as gateway:
        assert await gateway.charge(PAYMENT, deadline()) == Approved()
        assert len(server.requests) == 3
        assert len(set(server.requests)) == 1


@pytest.mark.parametrize("outcome", [(201, CHARGE), (201, DECLINED), (409, TOMBSTONE)])
async def test_an_outcome_is_not_tried_again(outcome: tuple[int, bytes]) -> None:
    async with serving(answering(outcome)) as server, adapter(server.url) as gateway:
        await gateway.charge(PAYMENT, deadline())
        assert len(server.requests) == 1


async def test_attempts_end_with_their_number() -> None:
    async with serving(answering((500, b""))) as server, adapter(server.url, attempts=3) as gateway:
        assert await gateway.charge(PAYMENT, deadline()) == Unknown(ERROR)
        assert len(server.requests) == 3


@pytest.mark.parametrize("status", [429, 503])
async def test_a_retry_after_that_fits_is_waited_for(status: int) -> None:
    loop = asyncio.get_running_loop()
    script = answering((status, b"", "Retry-After: 1"), (201, CHARGE))
    async with serving(script) as server, adapter(server.url) as gateway:
        started = loop.time()
        assert await gateway.charge(PAYMENT, deadline()) == Approved()
        assert loop.time() - started >= 1


async def test_a_retry_after_that_does_not_fit_ends_the_attempts_at_once() -> None:
    loop = asyncio.get_running_loop()
    async with serving(answering((503, b"", "Retry-After: 4"))) as server, adapter(server.url) as gateway:
        started = loop.time()
        assert await gateway.charge(PAYMENT, deadline(5)) == Unknown(ERROR)
        assert loop.time() - started < 1
        assert len(server.requests) == 1


@pytest.mark.parametrize("value", ["-1", "soon", "Wed, 21 Oct 2099 07:28:00 GMT", "1" * 5000, "²", "1.5"])
async def test_a_retry_after_that_is_not_a_number_of_seconds_is_passed_over(value: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.read()
        await peer.send(f"HTTP/1.1 503 No\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n".encode())
        await peer.read()
        await peer.answer(201, CHARGE)

    async with serving(script) as server, adapter(server.url) as gateway:
        assert await gateway.charge(PAYMENT, deadline()) == Approved()


async def test_attempts_leave_the_time_that_finishing_needs() -> None:
    loop = asyncio.get_running_loop()
    async with (
        serving(silent) as server,
        adapter(server.url, timeout_s=0.3, attempts=50, finish_budget_s=1.0) as gateway,
    ):
        started = loop.time()
        assert await gateway.charge(PAYMENT, deadline(2.5)) == Unknown(TIMEOUT)
        assert 0.6 <= loop.time() - started <= 1.6
        assert 2 <= len(server.requests) <= 5


async def test_another_attempt_is_not_begun_without_the_whole_time_for_it() -> None:
    async with serving(silent) as server, adapter(server.url, timeout_s=0.5, finish_budget_s=1.0) as gateway:
        assert await gateway.charge(PAYMENT, deadline(1.8)) == Unknown(TIMEOUT)
        assert len(server.requests) == 1


async def test_a_first_attempt_makes_do_with_little_time() -> None:
    loop = asyncio.get_running_loop()
    async with serving(silent) as server, adapter(server.url, timeout_s=2.0) as gateway:
        started = loop.time()
        assert await gateway.charge(PAYMENT, deadline(1.2)) == Unknown(TIMEOUT)
        assert loop.time() - started < 0.5
        assert len(server.requests) == 1


@pytest.mark.parametrize("operation", ["ask", "void"])
async def test_a_question_and_a_void_are_repeated_once_when_the_connection_dies(operation: str) -> None:
    script = answering((200, TOMBSTONE), drop, (200, TOMBSTONE))
    async with serving(script) as server, adapter(server.url) as gateway:
        for _ in range(2):
            assert await getattr(gateway, operation)(PAYMENT, deadline()) == Voided(ERROR)
        assert len(server.requests) == 3


@pytest.mark.parametrize("operation", ["ask", "void"])
async def test_a_question_and_a_void_end_in_time_whatever_happens(operation: str) -> None:
    loop = asyncio.get_running_loop()
    async with serving(silent) as server, adapter(server.url, timeout_s=0.3) as gateway:
        for within_s, at_most_s in ((5.0, 0.6), (0.1, 0.3), (-1.0, 0.1)):
            started = loop.time()
            assert await getattr(gateway, operation)(PAYMENT, deadline(within_s)) == Unknown(TIMEOUT)
            assert loop.time() - started < at_most_s
    async with adapter(f"http://127.0.0.1:{closed_port()}") as gateway:
        assert await getattr(gateway, operation)(PAYMENT, deadline()) == Unknown(TIMEOUT)


# Not sent, or unknown.


async def test_a_gateway_that_cannot_be_reached_was_sent_nothing() -> None:
    async with adapter(f"http://127.0.0.1:{closed_port()}") as gateway:
        assert await gateway.charge(PAYMENT, deadline()) == NotSent(TIMEOUT)


async def test_a_charge_whose_time_is_over_before_it_began_was_not_sent() -> None:
    async with serving(answering((201, CHARGE))) as server, adapter(server.url) as gateway:
        assert await gateway.charge(PAYMENT, deadline(0.9)) == NotSent(TIMEOUT)
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


# Breaker and gate.


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
        assert 59 <= refused.value.retry_after_s <= 60


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
    async with asyncio.timeout(30):
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
        adapter(server.url, attempts=3, breaker_failures=1, breaker_reset_s=0.2) as gateway,
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
        async with asyncio.timeout(30):
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

    async with serving(slow_then_good) as server, adapter(server.url, concurrency=50, breaker_failures=1) as gateway:

        async def pay() -> object:
            with gateway.gate.enter():
                return await gateway.charge(a_payment(), deadline())

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
        outcomes = await asyncio.gather(*(gateway.charge(PAYMENT, deadline()) for _ in range(200)))
        assert set(outcomes) == {Approved()}
        transport: Any = gateway._client._transport
        assert transport._open == {connection for idle in transport._idle.values() for connection in idle}
        assert transport._slots._value == 100


async def test_calls_that_closing_interrupts_end_as_unknown_and_later_ones_as_not_sent() -> None:
    async with serving(silent) as server, adapter(server.url, timeout_s=3) as gateway:
        calls = [
            asyncio.create_task(gateway.charge(PAYMENT, deadline())),
            asyncio.create_task(gateway.ask(PAYMENT, deadline())),
        ]
        await until(lambda: len(server.requests) == 2)
        await gateway.aclose()
        assert await asyncio.wait_for(asyncio.gather(*calls), 2) == [Unknown(TIMEOUT)] * 2
        assert await gateway.charge(PAYMENT, deadline()) == NotSent(TIMEOUT)
        assert await gateway.void(PAYMENT, deadline()) == Unknown(TIMEOUT)


async def test_the_observer_is_told_of_every_call() -> None:
    told: list[tuple[str, str, list[str]]] = []

    def observe(operation: str, outcome: str, attempts: list[str], elapsed_s: float) -> None:
        assert 0 <= elapsed_s < 5
        told.append((operation, outcome, attempts))

    script = answering((500, b""), (201, DECLINED), (404, b""), (200, TOMBSTONE))
    async with serving(script) as server, adapter(server.url, observe=observe) as gateway:
        await gateway.charge(PAYMENT, deadline())
        await gateway.ask(PAYMENT, deadline())
        await gateway.void(PAYMENT, deadline())
        await gateway.charge(PAYMENT, deadline(0))
    assert told == [
        ("charge", "Declined", ["error", "answered"]),
        ("ask", "Absent", ["answered"]),
        ("void", "Voided", ["answered"]),
        ("charge", "NotSent", []),
    ]


# With the mock gateway.


@pytest.fixture(scope="module")
async def mock_url() -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mock_gateway", stdout=-1, env=os.environ | {"MOCK_GATEWAY_PORT": "0"}
    )
    try:
        assert process.stdout
        line = (await asyncio.wait_for(process.stdout.readline(), 10)).decode()
        yield line.partition("on ")[2].partition(",")[0]
    finally:
        process.terminate()
        await process.communicate()


async def set_mode(url: str, mode: str, **more: Any) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        (await http.put(f"{url}/admin/mode", json={"mode": mode, **more})).raise_for_status()


@pytest.mark.parametrize(
    ("mode", "more", "outcome", "found"),
    [
        ("happy", {}, Approved(), Approved()),
        ("declined", {}, Declined("DO_NOT_HONOR"), Declined("DO_NOT_HONOR")),
        ("latency", {"latency_ms": 50}, Approved(), Approved()),
        ("500", {}, Unknown(ERROR), Absent()),
        ("500", {"charge": "before"}, Unknown(ERROR), Approved()),
        ("reset", {}, Unknown(TIMEOUT), Absent()),
        ("reset", {"charge": "before"}, Unknown(TIMEOUT), Approved()),
        ("timeout", {"charge": "before"}, Unknown(TIMEOUT), Approved()),
        ("429", {}, Unknown(ERROR), Absent()),
        ("garbage", {"charge": "before"}, Unknown(ERROR), Approved()),
        ("wrong_amount", {"charge": "before"}, Unknown(ERROR), Mismatched()),
    ],
)
async def test_every_mode_of_the_mock_gateway_is_read_right(
    mock_url: str, mode: str, more: dict[str, Any], outcome: object, found: object
) -> None:
    payment = a_payment()
    await set_mode(mock_url, mode, **more)
    async with adapter(mock_url, timeout_s=0.5) as gateway:
        assert await gateway.charge(payment, deadline(4)) == outcome
        assert await gateway.ask(payment, deadline()) == found
        if isinstance(found, Declined):
            assert await gateway.void(payment, deadline()) == found
        else:
            assert await gateway.void(payment, deadline()) == Voided(ERROR)
            await set_mode(mock_url, "happy")
            assert await gateway.charge(payment, deadline()) == Voided(ERROR)
