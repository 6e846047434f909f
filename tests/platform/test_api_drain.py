"""The end of the API's process: what was accepted is answered, and nothing new begins."""

import errno
import json
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http.client import HTTPConnection
from typing import Any

import httpx
import pytest

from app.platform.http import connection
from app.platform.http.listener import close_door
from app.platform.http.server import serve
from tests.api_harness import GRACE_S, KEY, PAYMENTS, Options, make_app, order, post, running, wait_until
from tests.fakes.api import FakePay
from tests.pace import slow

PATIENT = Options((KEY,), request_timeout_s=60, shutdown_grace_s=60)
"""Neither a request's time nor the grace is over before a busy machine has done what a test does meanwhile."""


def asking(client: httpx.Client, reference: str) -> Callable[[], httpx.Response]:
    """Ask for a payment in the background; the function waits for the answer."""
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(post(client, reference)))
    thread.start()

    def answer() -> httpx.Response:
        thread.join(60)
        return answers[0]

    return answer


def test_what_is_under_way_is_finished_and_nothing_new_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LAST_CALL_S", 60.0)  # nor is the last call
    with running(PATIENT) as api, api.client() as client, api.client() as other, api.client() as third:
        other.get("/healthz")
        third.get("/healthz")
        under_way = asking(client, "hold")
        wait_until(lambda: len(api.pay.requests) == 1)
        api.stop()
        wait_until(lambda: not api.server.servers[0].is_serving())

        # Both come on connections that were idle when the server began to end.
        late = post(other)
        assert (late.status_code, late.json()["error"]["code"]) == (503, "UNAVAILABLE")
        assert (late.headers["Retry-After"], late.headers["Connection"]) == ("1", "close")
        readiness = third.get("/readyz")
        assert "draining" in readiness.json()["error"]["details"]

        api.release()
        answer = under_way()
        assert (answer.status_code, answer.headers["Connection"]) == (201, "close")
        assert api.is_over(within_s=10)
        assert len(api.pay.requests) == 1


def test_at_the_end_of_the_grace_open_requests_are_answered_as_far_as_is_known(logged: list[Any]) -> None:
    patient = Options((KEY,), request_timeout_s=30, shutdown_grace_s=1)
    with running(patient) as api, api.client() as client:
        reserved, held = asking(client, "reserved"), asking(client, "hold")
        wait_until(lambda: len(api.pay.requests) == 2)
        began = time.monotonic()
        api.stop()
        answer = reserved()
        assert answer.status_code == 504
        assert answer.json()["error"]["details"]["status"] == "PENDING"
        assert (held().status_code, held().json()["error"]["code"]) == (503, "UNAVAILABLE")
        assert [line["reason"] for line in logged if line["event"] == "unavailable"] == ["the process ends"]
        assert 0.9 < time.monotonic() - began < slow(15)  # the grace, not the time that the requests had
        assert api.is_over(within_s=3)


def test_an_idle_connection_does_not_hold_up_the_end() -> None:
    with running(PATIENT) as api:
        silent = socket.create_connection(("127.0.0.1", api.port))
        kept = HTTPConnection("127.0.0.1", api.port)
        kept.request("GET", "/healthz")
        assert kept.getresponse().read()
        api.stop()
        assert api.is_over(within_s=10)
        assert silent.recv(1) == b""
        silent.close()
        kept.close()


def test_a_payment_whose_client_left_is_waited_for() -> None:
    with running(PATIENT) as api:
        raw = HTTPConnection("127.0.0.1", api.port)
        headers = {"X-API-Key": KEY, "Idempotency-Key": "left", "Content-Type": "application/json"}
        raw.request("POST", PAYMENTS, json.dumps(order("reserved")), headers)
        wait_until(lambda: len(api.pay.requests) == 1)
        raw.close()
        api.stop()
        wait_until(lambda: not api.server.servers[0].is_serving())
        api.release()
        wait_until(lambda: api.pay.finished == 1)
        assert api.is_over(within_s=10)


def test_under_load_every_request_on_an_open_connection_is_answered() -> None:
    """Each client asks as fast as it gets answers, until the server says that it closes."""
    outcomes: list[Any] = []

    def ask(port: int) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
        for number in range(100_000):
            body = json.dumps(order())
            try:
                connection.request("POST", PAYMENTS, body, headers | {"Idempotency-Key": f"{id(headers)}-{number}"})
                answer = connection.getresponse()
                answer.read()
            except OSError as error:
                outcomes.append(error)
                return
            if answer.getheader("Connection") == "close":
                outcomes.append(answer.status)
                break
        connection.close()

    with running(PATIENT) as api:
        clients = [threading.Thread(target=ask, args=(api.port,)) for _ in range(16)]
        for client in clients:
            client.start()
        wait_until(lambda: len(api.pay.requests) > 500, within_s=60)
        api.stop()
        for client in clients:
            client.join(60)
    assert len(outcomes) == 16
    assert set(outcomes) <= {201, 503}


SERVE = """
import sys
from tests.api_harness import make_app
from tests.fakes.api import FakePay
from app.platform.http.server import serve

serve(make_app(FakePay()), "127.0.0.1", 0, 2.0, on_started=lambda port: print(port, flush=True))
print("served", flush=True)
"""


def test_behind_a_closed_door_those_who_are_in_are_served_and_nobody_else_is_let_in() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        address = listening.getsockname()
        inside = [socket.create_connection(address, timeout=60) for _ in range(50)]
        close_door(listening)
        with pytest.raises(TimeoutError):
            socket.create_connection(address, timeout=0.2)
        for client in inside:
            client.sendall(b"let me finish")
            accepted, _ = listening.accept()
            assert accepted.recv(100) == b"let me finish"
            accepted.close()
            client.close()
        outside = socket.socket()
        outside.settimeout(0)
        assert outside.connect_ex(address) == errno.EINPROGRESS
    with outside:  # its system asks again, and finds the port closed
        assert select.select([], [outside], [], 60)[1]
        assert outside.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED


def test_a_signal_ends_the_process_in_good_order() -> None:
    for ending in (signal.SIGTERM, signal.SIGINT):
        with subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            port = int(process.stdout.readline())
            assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
            process.send_signal(ending)
            assert process.wait(60) == 0
            assert process.stdout.read().endswith("served\n")


def test_services_that_cannot_be_opened_end_the_start_with_their_reason(caplog: pytest.LogCaptureFixture) -> None:
    @asynccontextmanager
    async def closed() -> AsyncIterator[None]:
        raise RuntimeError("out of reach")
        yield

    app = make_app(FakePay(), lifespan=closed)
    with pytest.raises(SystemExit) as ended:
        serve(app, "127.0.0.1", 0, GRACE_S)
    assert ended.value.code
    assert "startup failed: RuntimeError: out of reach" in caplog.messages
