"""The API as a server of HTTP: doors, methods, ids, logs, readiness, metrics, framing."""

import json
import socket
import threading
import time
from typing import Any

import httpx
import pytest
from litestar.types import Receive, Scope, Send

from app.platform.http.errors import Problem
from app.platform.http.headers import Head
from app.platform.http.replies import RawHeader, Reply
from app.platform.http.server import make_server
from app.platform.http.sockets import listen
from tests.api_answers import exchange
from tests.api_harness import KEY, OPTIONS, PAYMENTS, Running, error, order, post, running, wait_until
from tests.fakes.api import USER
from tests.pace import slow


def test_each_of_the_api_keys_opens_the_wallets_and_nothing_else_does(api: Running) -> None:
    for key in (KEY, "another-key"):
        with api.client(key=key) as client:
            assert client.get(f"/wallets/{USER}/balance").status_code == 200
    with api.client(key=None) as client:
        answer = client.get("/wallets/x/balance?a=1")
        error(answer, 401, "UNAUTHORIZED")
        assert "WWW-Authenticate" in answer.headers
        assert client.get("/healthz").status_code == 200


def test_without_api_keys_no_wallet_opens_and_what_is_closed_is_not_there() -> None:
    closed = type(OPTIONS)((), expose_docs=False, expose_metrics=False, shutdown_grace_s=1)
    with running(closed) as api, api.client() as client:
        error(client.get(f"/wallets/{USER}/balance"), 401, "UNAUTHORIZED")
        client.headers["X-API-Key"] = ""
        error(client.get(f"/wallets/{USER}/balance"), 401, "UNAUTHORIZED")
        for path in ("/docs", "/openapi.json", "/metrics"):
            error(client.get(path), 404, "NOT_FOUND")
        assert client.get("/healthz").status_code == 200


BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def test_a_browser_at_the_door_is_led_to_the_docs_and_a_program_finds_nothing(client: httpx.Client) -> None:
    for method in ("GET", "HEAD"):
        led = client.request(method, "/", headers=BROWSER)
        assert (led.status_code, led.headers["location"], led.content) == (302, "/docs", b"")
    assert client.get("/", headers=BROWSER, follow_redirects=True).headers["content-type"].startswith("text/html")
    for accept in ("*/*", "application/json", "text/*", "xtext/html", ""):
        error(client.get("/", headers={"Accept": accept}), 404, "NOT_FOUND")
    error(client.post("/", headers=BROWSER), 404, "NOT_FOUND")
    error(client.get("/nope", headers=BROWSER), 404, "NOT_FOUND")
    assert "/" not in client.get("/openapi.json").json()["paths"]


def test_where_the_docs_are_not_shown_nobody_is_led_to_them() -> None:
    with running(type(OPTIONS)((), expose_docs=False, shutdown_grace_s=1)) as api, api.client() as client:
        error(client.get("/", headers=BROWSER), 404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/docs", f"/wallets/{USER}/balance"])
def test_head_is_get_without_a_body_and_405_says_what_is_allowed(client: httpx.Client, path: str) -> None:
    got, headed = client.get(path), client.head(path)
    assert (headed.status_code, headed.content) == (got.status_code, b"")
    assert headed.headers["content-type"] == got.headers["content-type"]
    for method in ("OPTIONS", "POST", "DELETE"):
        answer = client.request(method, path)
        error(answer, 405, "METHOD_NOT_ALLOWED")
        assert answer.headers["Allow"] == "GET, HEAD"


def test_the_request_id_is_the_clients_when_well_formed_and_fresh_otherwise(client: httpx.Client) -> None:
    for path, method in (("/healthz", "GET"), ("/nope", "GET"), ("/healthz", "PUT")):
        answer = client.request(method, path, headers={"X-Request-ID": "!~" * 64})
        assert answer.headers["X-Request-ID"] == "!~" * 64
    for bad in ("", "a b", "a" * 129):
        answer = client.get("/healthz", headers={"X-Request-ID": bad})
        assert 1 <= len(answer.headers["X-Request-ID"]) <= 128
        assert answer.headers["X-Request-ID"] != bad
    twice = client.get("/healthz", headers=[("X-Request-ID", "a"), ("X-Request-ID", "b")])
    assert twice.headers["X-Request-ID"] not in ("a", "b")


def test_the_access_log_names_route_and_id_and_neither_key_nor_query(
    client: httpx.Client, api: Running, logged: list[Any]
) -> None:
    client.get(f"/wallets/{USER}/balance", params={"currency": "CHF"}, headers={"X-Request-ID": "one"})
    exchange(api.port, b"GET / HTTP/1.1\r\nX-Request-ID: two\r\n\r\n")

    def ours() -> list[Any]:
        return [entry for entry in logged if entry["request_id"] in ("one", "two")]

    wait_until(lambda: len(ours()) == 3)
    requests = [entry for entry in ours() if entry["event"] == "request"]
    first, second = ({key: entry[key] for key in ("request_id", "route", "status")} for entry in requests)
    assert first == {"request_id": "one", "route": "/wallets/{user_id}/balance", "status": 404}
    assert second == {"request_id": "two", "route": "malformed", "status": 400}
    assert {"event", "log_level", "method", "latency_ms"} | first.keys() == requests[0].keys()
    malformed = next(entry for entry in ours() if entry["log_level"] == "warning")
    assert (malformed["event"], malformed["request_id"]) == ("validation_failed", "two")
    assert KEY not in str(logged)
    assert "CHF" not in str(logged)


def test_readiness_names_what_is_missing_and_takes_no_longer_than_it_may(client: httpx.Client, api: Running) -> None:
    assert client.get("/readyz").json() == {"status": "ok"}
    try:
        api.problems["database"] = "out of reach"
        assert error(client.get("/readyz"), 503, "UNAVAILABLE") == {"database": "out of reach"}
        api.problems["database"] = "silent"
        assert "readiness" in error(client.get("/readyz"), 503, "UNAVAILABLE")
        assert client.get("/healthz").status_code == 200
    finally:
        api.problems.clear()


def test_metrics_count_by_route_and_never_by_path(client: httpx.Client) -> None:
    post(client)
    for _ in range(3):
        client.get("/some/path/of/a/client")
    text = client.get("/metrics").text
    assert 'http_requests_total{method="GET",route="unmatched",status="404"}' in text
    assert 'route="/wallets/{user_id}/payments",status="201"' in text
    assert "/some/path" not in text
    assert str(USER) not in text


def test_an_absolute_target_and_a_declined_upgrade_are_answered(api: Running) -> None:
    """As RFC 9112 and RFC 9110 have it."""
    assert exchange(api.port, b"GET http://elsewhere/healthz HTTP/1.1\r\nHost: a\r\n\r\n").status == 200
    get = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
    upgrade = get + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
    assert exchange(api.port, upgrade).status == 200
    with socket.create_connection(("127.0.0.1", api.port), timeout=60) as connection:
        connection.sendall(upgrade * 5_000 + get + b"Connection: close\r\n\r\n")
        with connection.makefile("rb") as answers:
            assert answers.read().count(b"HTTP/1.1 200") == 5_001


@pytest.mark.parametrize("coding", ["length", "chunks", "length after an expectation"])
def test_a_declined_upgrade_with_a_body_is_answered(api: Running, coding: str) -> None:
    """As Java's HttpClient asks by default; what follows on the connection is its own request."""
    body = json.dumps(order()).encode()
    head = f"POST {PAYMENTS} HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\nContent-Type: application/json\r\n"
    head += "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
    framed = b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    if coding == "chunks":
        framed = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    elif coding.endswith("expectation"):
        framed = b"Expect: 100-continue\r\n" + framed
    asked = len(api.pay.requests)
    with socket.create_connection(("127.0.0.1", api.port), timeout=60) as connection:
        for number in range(3):
            request = head.encode() + b"Idempotency-Key: h2c-%d\r\n" % number + framed
            for piece in (request[:40], request[40:-5], request[-5:]):
                connection.sendall(piece)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade\r\nUpgrade: h2c\r\n\r\n")
        with connection.makefile("rb") as answers:
            everything = answers.read()
    assert everything.count(b"HTTP/1.1 201") == 3
    assert everything.count(b"HTTP/1.1 200") == 1
    assert len(api.pay.requests) - asked == 3


def test_chunks_and_an_expectation_are_understood_and_trailers_ignored(api: Running) -> None:
    body = json.dumps(order()).encode()
    head = f"POST {PAYMENTS} HTTP/1.1\r\nHost: a\r\nIdempotency-Key: c\r\nContent-Type: application/json\r\n".encode()
    key = f"X-API-Key: {KEY}\r\n".encode()
    chunks = b"%x;extension=1\r\n%s\r\n0\r\n" % (len(body), body)
    coding = b"Transfer-Encoding: chunked\r\n\r\n"
    assert exchange(api.port, head + key + coding + chunks + b"\r\n").status == 201
    assert exchange(api.port, head + coding + chunks + key + b"\r\n").status == 401
    expecting = b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert exchange(api.port, head + key + expecting, body).status == 201
    refused = exchange(api.port, head + expecting)
    assert (refused.status, refused.headers["connection"]) == (401, "close")


def test_a_client_that_says_no_more_is_still_answered(api: Running) -> None:
    api.loop.call_soon_threadsafe(api.pay.release.clear)
    asked = len(api.pay.requests)
    assert exchange(api.port, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", half_close=True).status == 200
    assert len(api.pay.requests) == asked


def test_a_forged_forwarding_header_has_no_effect(client: httpx.Client) -> None:
    answer = client.get("/healthz", headers={"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https"})
    assert answer.status_code == 200
    assert "server" not in answer.headers


def test_an_idle_connection_is_kept_for_the_time_that_is_set() -> None:
    with running(keep_alive_s=3) as api, socket.create_connection(("127.0.0.1", api.port), timeout=60) as connection:
        for _ in range(2):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
            began = time.monotonic()
            time.sleep(1.6)  # not yet
        assert connection.recv(1) == b""
        assert 2.9 < time.monotonic() - began < slow(5)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="there is no IPv6 here")
def test_on_all_of_ipv6_clients_of_ipv4_are_served_and_known_by_their_own_address() -> None:
    clients: list[Any] = []

    class Asked:
        draining = False

        def begin_drain(self) -> None:
            self.draining = True

        def headers_beside(self, target: bytes, head: Head) -> tuple[RawHeader, ...]:
            raise AssertionError

        def record_refused(self, problem: Problem, started: float) -> None:
            raise AssertionError

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":  # type: ignore[comparison-overlap]
                for what in ("startup", "shutdown"):
                    await receive()
                    await send({"type": f"lifespan.{what}.complete"})  # type: ignore[typeddict-item]
                return
            clients.append(scope["client"])
            await Reply(200, b"{}")(scope, receive, send)

    listener = listen("::", 0)
    port, started = listener.getsockname()[1], threading.Event()
    server = make_server(Asked(), "::", port, 1.0, on_started=lambda _: started.set())
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    assert started.wait(60)
    for host in ("127.0.0.1", "[::1]"):
        assert httpx.get(f"http://{host}:{port}/").status_code == 200
    server.stop()
    thread.join(60)
    assert [host for host, _ in clients] == ["127.0.0.1", "::1"]
