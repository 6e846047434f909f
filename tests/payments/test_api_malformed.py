"""Malformed requests, down to bytes that are not HTTP: each is refused in time, in the envelope, with its id."""

import contextlib
import json
import random
import socket
import time
from typing import Any

import pytest

from app.platform.http.limits import HEAD_WITHIN_S
from tests.api_answers import check_documented, exchange
from tests.api_harness import Running, order, wait_until
from tests.fakes.api import USER
from tests.pace import slow
from tests.payments.malformed import BODIES, GOOD, HEADERS, HOST, NAMED, OURS, TARGETS, get, request
from tests.payments.malformed_bytes import BYTES, SLOW, chunked


@pytest.fixture(scope="module")
def document(api: Running) -> Any:
    """The OpenAPI document."""
    with api.client() as client:
        return client.get("/openapi.json").json()


def refused(api: Running, document: Any, raw: bytes, status: int, **how: Any) -> dict[str, Any]:
    """Send the bytes, and see to it that they are refused as everything has to be, and that nothing came of them.

    The error's details.
    """
    asked = len(api.pay.requests)
    start = raw.partition(b"\r\n")[0].split(b" ")
    method = start[0].decode("latin-1")
    answer = exchange(api.port, raw, method=method, **how)
    assert answer.status == status, answer
    assert answer.elapsed_s < slow(2)
    assert len(api.pay.requests) == asked
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    if len(start) == 3 and status != 0:
        target = start[1].decode("latin-1")
        check_documented(document, method, target, answer.status, answer.headers, answer.body)
    if method == "HEAD":
        return {}
    error = json.loads(answer.body)["error"]
    assert error.keys() == {"code", "message", "details"}
    details: dict[str, Any] = error["details"]
    return details


@pytest.mark.parametrize("name", BODIES)
def test_a_malformed_body_is_refused_by_the_member_that_is_wrong(api: Running, document: Any, name: str) -> None:
    body, wrong = BODIES[name]
    assert wrong in refused(api, document, request(body), 400)


@pytest.mark.parametrize("name", HEADERS)
def test_malformed_headers_are_refused(api: Running, document: Any, name: str) -> None:
    headers, status, wrong = HEADERS[name]
    details = refused(api, document, request(GOOD, headers), status)
    assert wrong is None or wrong in details


@pytest.mark.parametrize("name", TARGETS)
def test_malformed_targets_and_sizes_are_refused(api: Running, document: Any, name: str) -> None:
    raw, status, wrong = TARGETS[name]
    details = refused(api, document, raw, status)
    assert wrong is None or wrong in details


@pytest.mark.parametrize("name", BYTES)
def test_what_is_not_http_is_refused_in_the_envelope_and_ends_the_connection(
    api: Running, document: Any, name: str
) -> None:
    refused(api, document, BYTES[name], 400)
    answer = exchange(api.port, BYTES[name])
    assert answer.headers["connection"] == "close"
    assert answer.is_closed


@pytest.mark.parametrize("name", SLOW)
def test_a_request_that_does_not_go_on_is_refused_within_two_seconds(api: Running, document: Any, name: str) -> None:
    refused(api, document, SLOW[name], 400)


@pytest.mark.parametrize("name", SLOW)
def test_a_request_that_ends_half_way_is_refused_at_once(api: Running, document: Any, name: str) -> None:
    refused(api, document, SLOW[name], 400, half_close=True)


def test_every_refusal_echoes_the_request_id(api: Running) -> None:
    """Of those whose head got as far as the id."""
    everything = [
        *(request(body) for body, _ in BODIES.values()),
        *(request(GOOD, headers) for headers, _, _ in HEADERS.values()),
        *(raw for raw, _, _ in TARGETS.values()),
        *(
            BYTES[name]
            for name in ("a websocket", "two hosts", "two lengths", "NUL in a header", "half a body")
            if name in BYTES
        ),
    ]
    for raw in everything:
        answer = exchange(api.port, raw, method=raw.partition(b" ")[0].decode("latin-1"))
        assert answer.headers["x-request-id"] == NAMED, raw[:200]


def test_a_head_without_an_end_is_refused_by_the_part_that_is_too_long(api: Running) -> None:
    assert exchange(api.port, b"GET /" + b"a" * 9000).status == 414
    head = b"GET / HTTP/1.1\r\n" + HOST
    assert exchange(api.port, head, *[b"X: " + b"a" * 1000 + b"\r\n"] * 40).status == 431
    assert exchange(api.port, head, b"X: ", *[b"a" * 1000] * 40).status == 431


def test_there_are_more_than_two_hundred_of_them() -> None:
    assert len(BODIES) + len(HEADERS) + len(TARGETS) + len(BYTES) + len(SLOW) > 200


def test_a_refusal_waits_for_the_answers_before_it(api: Running) -> None:
    """What is malformed comes on the same connection behind a payment that is still under way."""
    before = len(api.pay.requests)
    body = GOOD.replace('"a"', '"hold"')
    with socket.create_connection(("127.0.0.1", api.port), timeout=60) as connection:
        connection.sendall(request(body) + get("/healthz") + b"nonsense\r\n\r\n")
        wait_until(lambda: len(api.pay.requests) == before + 1)
        api.release()
        with connection.makefile("rb") as answers:
            everything = answers.read()
    statuses = [int(part[:3]) for part in everything.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [201, 200, 400]


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_request_that_drips_is_refused_though_it_never_stops(api: Running, part: str) -> None:
    raw = request(GOOD + " " * 1000)
    start = 0 if part == "head" else raw.index(b"\r\n\r\n") + 4
    with socket.create_connection(("127.0.0.1", api.port), timeout=60) as connection:
        connection.sendall(raw[:start])
        began = time.monotonic()
        connection.settimeout(0.05)
        for byte in raw[start:]:
            with contextlib.suppress(ConnectionError):  # it may have hung up: what it said is still to be read
                connection.sendall(bytes([byte]))
            with contextlib.suppress(TimeoutError):
                assert b"400 Bad Request" in connection.recv(4096)
                break
        else:
            pytest.fail("all of it was taken")
        assert time.monotonic() - began < slow(20)  # of the minute that all of it takes


def test_a_steady_stream_of_requests_is_never_late(api: Running) -> None:
    """Each piece ends within the head of a request: no request is slow, though some head is always incomplete."""
    assert any(_streamed(api) for _ in range(20)), "this machine stands still too often to tell"


def _streamed(api: Running) -> bool:
    """Whether none of the stream's heads was late, for longer than one may take. One that the machine makes late, as it
    stands still, tells nothing."""
    one = get("/healthz", OURS)
    with socket.create_connection(("127.0.0.1", api.port), timeout=60) as connection:
        began, sent = time.monotonic(), 1
        connection.sendall(one[:20])
        last = began
        with connection.makefile("rb") as answers:
            while time.monotonic() - began < 2 * HEAD_WITHIN_S:
                if time.monotonic() - last > HEAD_WITHIN_S / 2:
                    return False
                last = time.monotonic()
                connection.sendall(one[20:] + one[:20])
                status = answers.readline()
                assert b" 200 " in status, sent
                while answers.readline() != b"\r\n":
                    pass
                answers.read(len(b'{"status":"ok"}'))
                sent += 1
                # A pace, not a wait: the stream has to outlast what a single head is given.
                time.sleep(0.05)
    return True


def test_what_was_asked_before_garbage_is_answered_though_the_client_says_no_more(api: Running) -> None:
    api.loop.call_soon_threadsafe(api.pay.release.clear)
    asked = len(api.pay.requests)
    with socket.create_connection(("127.0.0.1", api.port), timeout=60) as connection:
        connection.sendall(request(json.dumps(order("hold"))) + b"nonsense\r\n\r\n")
        wait_until(lambda: len(api.pay.requests) > asked)
        connection.shutdown(socket.SHUT_WR)
        api.release()
        with connection.makefile("rb") as answers:
            everything = answers.read()
    assert [int(part[:3]) for part in everything.split(b"HTTP/1.1 ")[1:]] == [201, 400]


def test_an_id_is_never_taken_from_the_request_before(api: Running) -> None:
    with socket.create_connection(("127.0.0.1", api.port), timeout=60) as connection:
        connection.sendall(get("/healthz") + b"nonsense\r\n\r\n")
        with connection.makefile("rb") as answers:
            everything = answers.read()
    assert everything.count(b"x-request-id: ") == 2
    assert everything.count(b"x-request-id: " + NAMED.encode()) == 1


def test_bytes_changed_at_random_never_break_or_hold_up_anything(api: Running) -> None:
    chance = random.Random(7)
    whole = [request(GOOD), get(f"/wallets/{USER}/balance?currency=USD"), chunked(b"5\r\nhello\r\n0\r\n\r\n")]
    for _ in range(400):
        raw = bytearray(chance.choice(whole))
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(raw))
            raw[place : place + chance.randint(0, 2)] = chance.randbytes(chance.randint(0, 2))
        answer = exchange(api.port, bytes(raw), half_close=True)
        assert answer.status in (0, *range(200, 500)), bytes(raw)
        assert answer.elapsed_s < slow(2)
        if answer.status:
            assert answer.headers["x-request-id"], bytes(raw)
