"""What a client can have the API hold: little, not for long, and nothing once it is gone. Without a key, and unread."""

import contextlib
import gc
import json
import socket
import struct
import time
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from app.platform.http import connection as connections
from app.platform.http.limits import HEAD_WITHIN_S, SYSTEM_HOLDS_BYTES
from tests.api_harness import OPTIONS, Running, order, running, wait_until
from tests.fakes.api import USER
from tests.pace import slow
from tests.payments.malformed import OPEN, get, request

CONNECTIONS = 20
SMALL = get("/healthz", b"Host: a\r\n")
LARGE = get(f"/wallets/{USER}/transactions?limit=200")
PAYMENT = request(json.dumps(order("hold")))
TAKEN_WITHIN_S = 0.5


def connect(api: Running, receive_bytes: int = 0) -> socket.socket:
    """A connection, whose system keeps so many bytes that nobody reads."""
    connection = socket.socket()
    connection.settimeout(60)
    if receive_bytes:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    connection.connect(("127.0.0.1", api.port))
    return connection


def statuses(connection: socket.socket) -> list[int]:
    """Those of all answers until the end."""
    with connection.makefile("rb") as answers:
        everything = answers.read()
    return [int(part[:3]) for part in everything.split(b"HTTP/1.1 ")[1:]]


def parsed() -> list[RequestResponseCycle]:
    """The requests that the process has parsed and not yet forgotten."""
    return [each for each in gc.get_objects() if isinstance(each, RequestResponseCycle)]


def is_served_within(api: Running, within_s: float) -> bool:
    began = time.monotonic()
    with api.client(key=None) as client:
        assert client.get("/healthz").status_code == 200
    return time.monotonic() - began < slow(within_s)


def held_payments(api: Running, stack: ExitStack, behind: bytes) -> list[socket.socket]:
    """Connections that have each asked for a payment that takes its time, and for more behind it."""
    asked = len(api.pay.requests)
    connections = [stack.enter_context(connect(api)) for _ in range(CONNECTIONS)]
    for connection in connections:
        connection.sendall(PAYMENT + behind)
    wait_until(lambda: len(api.pay.requests) == asked + CONNECTIONS)
    return connections


@contextmanager
def without_the_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def test_behind_a_request_that_waits_nothing_is_parsed_and_everything_is_answered_in_its_turn() -> None:
    with running(replace(OPTIONS, request_timeout_s=30)) as api, ExitStack() as stack:
        before = parsed()
        connections = held_payments(api, stack, SMALL * 200 + get("/nope", b"Host: a\r\nConnection: close\r\n"))
        assert len(parsed()) - len(before) == CONNECTIONS
        assert is_served_within(api, 2)
        api.release()
        for connection in connections:
            assert statuses(connection) == [201, *[200] * 200, 404]


def test_what_waits_is_held_as_the_bytes_that_came() -> None:
    behind = SMALL * 300
    with running(replace(OPTIONS, request_timeout_s=60)) as api, ExitStack() as stack:
        tracemalloc.start()
        try:
            held_payments(api, stack, b"")
            of_a_request, _ = tracemalloc.get_traced_memory()
            held_payments(api, stack, behind)
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        api.release()
    assert held - of_a_request < of_a_request + CONNECTIONS * (len(behind) + 2_000)


def test_of_a_client_that_goes_on_asking_no_more_is_read_than_the_system_keeps() -> None:
    with running(replace(OPTIONS, request_timeout_s=60)) as api, ExitStack() as stack:
        connection = held_payments(api, stack, b"")[0]
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        connection.settimeout(0.5)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 20 * SYSTEM_HOLDS_BYTES:
                sent += connection.send(SMALL * 1_000)
        # What is read once, and what the system keeps: twice what it is told.
        assert sent < 5 * SYSTEM_HOLDS_BYTES


def leave(connection: socket.socket) -> None:
    connection.close()


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


LEFT = {
    "nothing": b"",
    "one": SMALL,
    "half a head": SMALL[:20],
    "many": SMALL * 100,
    "half a body": PAYMENT[:-5],
    "nonsense": b"nonsense\r\n\r\n",
    "large answers": LARGE * 9,
    "a payment under way": PAYMENT,
    "many behind a payment": PAYMENT.replace(b"Idempotency-Key: a", b"Idempotency-Key: b") + SMALL * 100,
}


@pytest.mark.parametrize("end", [leave, reset])
def test_what_a_connection_held_is_freed_when_it_ends(end: Callable[[socket.socket], None]) -> None:
    with running() as api:
        assert is_served_within(api, 5)  # what is made once is there
        for what, sent in LEFT.items():
            wait_until(lambda: not api.server.server_state.connections)
            api.loop.call_soon_threadsafe(api.pay.release.clear)
            before, asked = len(parsed()), len(api.pay.requests)
            with without_the_collector():
                connections = [connect(api, 4096) for _ in range(5)]
                wait_until(lambda: len(api.server.server_state.connections) == 5)
                ends = [weakref.ref(each) for each in api.server.server_state.connections]
                for connection in connections:
                    connection.sendall(sent)
                if "payment" in what:
                    wait_until(lambda asked=asked: len(api.pay.requests) == asked + 5)
                for connection in connections:
                    end(connection)
                api.release()
                wait_until(lambda ends=ends: not any(each() for each in ends))
                wait_until(lambda before=before: len(parsed()) <= before)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the service is, but for the time that it gives."""
    monkeypatch.setattr(connections, "TAKEN_WITHIN_S", TAKEN_WITHIN_S)


@pytest.mark.usefixtures("impatient")
def test_an_answer_that_nobody_takes_ends_its_connection_and_no_other() -> None:
    with running() as api, ExitStack() as stack:
        connections = [stack.enter_context(connect(api, 4096)) for _ in range(CONNECTIONS)]
        for connection in connections:
            connection.sendall(LARGE * 50)
        assert is_served_within(api, 2)
        wait_until(lambda: not api.server.server_state.connections)
        for connection in connections:
            with pytest.raises(ConnectionResetError):
                statuses(connection)


def test_who_takes_answers_slowly_gets_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    within_s = 2.0  # a pace that a busy machine keeps
    monkeypatch.setattr(connections, "TAKEN_WITHIN_S", within_s)
    with running() as api, connect(api, 4096) as connection:
        connection.sendall(LARGE * 11 + LARGE.replace(b"Host: a", b"Host: a\r\nConnection: close"))
        taken = b""
        began = time.monotonic()
        while piece := connection.recv(8192):
            taken += piece
            time.sleep(0.05)  # a pace, not a wait
        assert taken.count(b"HTTP/1.1 200 OK") == 12
        assert taken.endswith(b"}")
        assert time.monotonic() - began > 1.5 * within_s


def test_a_request_that_waited_its_turn_is_not_late() -> None:
    """Its time begins when the server reads it, however long its first half has been there."""
    with running(replace(OPTIONS, request_timeout_s=60)) as api, ExitStack() as stack:
        half = len(SMALL) // 2
        connection = held_payments(api, stack, SMALL[:half])[0]
        time.sleep(HEAD_WITHIN_S + 0.3)  # the time of a head passes: that is what is tested
        api.release()
        connection.sendall(SMALL[half:] + get("/healthz", b"Host: a\r\nConnection: close\r\n"))
        assert statuses(connection) == [201, 200, 200]


def test_the_end_answers_what_is_held_and_waits_for_nobody_who_takes_nothing() -> None:
    grace_s = 4.0
    with running(replace(OPTIONS, request_timeout_s=60, shutdown_grace_s=grace_s)) as api, ExitStack() as stack:
        unread = [stack.enter_context(connect(api, 4096)) for _ in range(CONNECTIONS)]
        for connection in unread:
            connection.sendall(LARGE * 200)
        answered = held_payments(api, stack, SMALL * 3)
        began = time.monotonic()
        api.stop()
        api.release()
        for connection in answered:
            assert statuses(connection) == [201, 200, 200, 200]
        assert api.is_over(within_s=grace_s + 3)
        assert time.monotonic() - began < slow(grace_s + 2.5)


def test_a_target_that_the_parser_itself_would_refuse_is_too_long_as_well(api: Running) -> None:
    for size in (65_535, 65_536, 100_000):
        with connect(api) as connection:
            connection.sendall(get("/" + "a" * size, OPEN))
            assert statuses(connection) == [414]
        # Whole, or with its end not in sight.
        for sent in (size + 1_000, 20_000):
            with connect(api) as connection:
                connection.sendall(get("/" + "a" * size, OPEN, method="HEAD")[:sent])
                with connection.makefile("rb") as answers:
                    answer = answers.read()
            assert answer.startswith(b"HTTP/1.1 414")
            assert answer.endswith(b"\r\n\r\n")
