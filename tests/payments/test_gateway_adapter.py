"""The gateway's adapter: what it sends, when it tries again, and what it makes of the answers. Over real sockets."""

import asyncio
import json
from typing import Any

import pytest

from app.contexts.payments.application.gateway import Gate, Gateway
from app.contexts.payments.domain.outcome import Approved, NotSent, Unknown, Voided
from tests.pace import slow
from tests.payments.gateways import (
    CHARGE,
    DECLINED,
    ERROR,
    PAYMENT,
    REPLY_AFTER_S,
    TIMEOUT,
    TOMBSTONE,
    adapter,
    answering,
    deadline,
    drop,
)
from tests.platform.peers import Peer, closed_port, serving, silent, until


async def test_it_is_what_the_use_cases_ask_for() -> None:
    """The type checker reads the annotations."""
    async with adapter("http://127.0.0.1:1") as made:
        gateway: Gateway = made
        gate: Gate = made.gate
        assert gateway
        assert gate


async def test_the_requests_are_those_of_the_contract() -> None:
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    payment = PAYMENT._replace(traceparent=traceparent)
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
    async with serving(answering((503, b"", "Retry-After: 49"))) as server, adapter(server.url) as gateway:
        started = loop.time()
        assert await gateway.charge(PAYMENT, deadline(50)) == Unknown(ERROR)
        assert loop.time() - started < slow(3)
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
        adapter(server.url, timeout_s=0.5, attempts=50, finish_budget_s=3.0) as gateway,
    ):
        started = loop.time()
        assert await gateway.charge(PAYMENT, deadline(7.0)) == Unknown(TIMEOUT)
        assert 1.0 <= loop.time() - started < slow(5)
        assert 2 <= len(server.requests) <= 8


async def test_another_attempt_is_not_begun_without_the_whole_time_for_it() -> None:
    async with serving(silent) as server, adapter(server.url, timeout_s=2.0, finish_budget_s=1.0) as gateway:
        assert await gateway.charge(PAYMENT, deadline(4.5)) == Unknown(TIMEOUT)
        assert len(server.requests) == 1


async def test_a_first_attempt_makes_do_with_little_time() -> None:
    loop = asyncio.get_running_loop()
    async with serving(silent) as server, adapter(server.url, timeout_s=60.0) as gateway:
        started = loop.time()
        assert await gateway.charge(PAYMENT, deadline(3.0)) == Unknown(TIMEOUT)
        assert loop.time() - started < slow(5)
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
    for timeout_s, within_s in ((1.0, 10.0), (10.0, 1.0), (10.0, -1.0)):
        async with serving(silent) as server, adapter(server.url, timeout_s=timeout_s) as gateway:
            started = loop.time()
            assert await getattr(gateway, operation)(PAYMENT, deadline(within_s)) == Unknown(TIMEOUT)
            assert loop.time() - started < slow(5)
            assert len(server.requests) == (within_s > 0)
    async with adapter(f"http://127.0.0.1:{closed_port()}") as gateway:
        assert await getattr(gateway, operation)(PAYMENT, deadline()) == Unknown(TIMEOUT)


async def test_calls_that_closing_interrupts_end_as_unknown_and_later_ones_as_not_sent() -> None:
    async with serving(silent) as server, adapter(server.url, timeout_s=50) as gateway:
        calls = [
            asyncio.create_task(gateway.charge(PAYMENT, deadline())),
            asyncio.create_task(gateway.ask(PAYMENT, deadline())),
        ]
        await until(lambda: len(server.requests) == 2)
        await gateway.aclose()
        assert await asyncio.wait_for(asyncio.gather(*calls), slow(2)) == [Unknown(TIMEOUT)] * 2
        assert await gateway.charge(PAYMENT, deadline()) == NotSent(TIMEOUT)
        assert await gateway.void(PAYMENT, deadline()) == Unknown(TIMEOUT)


async def test_the_observer_is_told_of_every_call() -> None:
    told: list[tuple[str, str, list[str]]] = []

    def observe(operation: str, outcome: str, attempts: list[str], elapsed_s: float) -> None:
        assert 0 <= elapsed_s < REPLY_AFTER_S
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
