"""Canaries from clients: whatever field they are planted in, no log, no metric, no error and no table tells of them.

What the contract wants to be kept or told again has canaries of its own, with the places where it belongs.
"""

import contextlib
import json
import socket
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from app.main.local.postgres import PostgresServer
from tests.system.e2e.canaries import (
    ADDRESS,
    SECRET,
    check_untold,
    columns_with,
    logs_with,
    metrics_of,
    of_answer,
    told,
)
from tests.system.e2e.house import API_KEY, HEADERS, House, wait_until
from tests.system.e2e.planting import BYTES, HEADER_NAMES, MALFORMED_IDS, TARGETS, bodies


@pytest.fixture(scope="module")
def user(house: House) -> UUID:
    """Someone with a wallet."""
    return house.wallet(1_000)


def raw(port: int, request: str) -> str:
    """What comes back for these bytes until the connection ends, or goes quiet."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(request.encode("latin-1"))
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(OSError):
            while chunk := connection.recv(65_536):
                answer += chunk
    return answer.decode("latin-1")


def without_its_name(answer: str) -> str:
    """The answer but for the member or parameter that is none, which `details` names to whoever sent it."""
    return answer.replace(f'"{SECRET[:64]}":"is not a', "")


def post(house: House, user: UUID, content: bytes, **headers: str) -> httpx.Response:
    """A payment request with this body."""
    given = HEADERS | {"Idempotency-Key": uuid4().hex, "Content-Type": "application/json"} | headers
    return httpx.post(f"{house.api_url}/wallets/{user}/payments", content=content, headers=given)


def test_a_header_is_never_told(house: House, user: UUID) -> None:
    head = {"Host": "a", "X-API-Key": API_KEY, "Idempotency-Key": "a", "Content-Type": "application/json"}
    planted = dict.fromkeys(HEADER_NAMES, SECRET) | {"X-Forwarded-For": ADDRESS, "X-Real-IP": ADDRESS} | MALFORMED_IDS
    for name, value in planted.items():
        lines = "".join(f"{one}: {text}\r\n" for one, text in (head | {name: value}).items())
        for start in (f"GET /wallets/{user}/balance", f"POST /wallets/{user}/payments", "GET /nowhere", "GET /metrics"):
            answer = raw(house.ports["HTTP_PORT"], f"{start} HTTP/1.1\r\n{lines}\r\n")
            assert answer.startswith("HTTP/1.1 "), (name, start)
            assert told(answer) == [], (name, start)
    check_untold(house)


def test_a_target_is_never_told(house: House, user: UUID) -> None:
    for target in TARGETS:
        for start in (f"GET {target}", f"POST {target}", f"DELETE {target}"):
            request = f"{start.format(user=user)} HTTP/1.1\r\nHost: a\r\nX-API-Key: {API_KEY}\r\n\r\n"
            assert told(without_its_name(raw(house.ports["HTTP_PORT"], request))) == [], target
    check_untold(house)


def test_a_body_that_is_refused_is_never_told(house: House, user: UUID) -> None:
    for body in bodies(house.provider_id):
        answer = post(house, user, body)
        assert answer.status_code == 400, body
        assert told(without_its_name(of_answer(answer))) == [], body
    assert post(house, user, SECRET.encode() * 2000).status_code == 413
    assert post(house, user, SECRET.encode(), **{"Content-Type": f"text/{SECRET}"}).status_code == 415
    check_untold(house)


@pytest.mark.parametrize("process", ["HTTP_PORT", "METRICS_PORT", "MOCK_GATEWAY_PORT"])
def test_bytes_that_are_no_request_are_never_told(house: House, process: str) -> None:
    head = f"Host: a\r\nX-Forwarded-For: {ADDRESS}\r\nAuthorization: {SECRET}\r\nContent-Length: 0\r\n\r\n"
    targets = [f"{method} {target} HTTP/1.1\r\n{head}" for target in TARGETS for method in ("GET", "POST", "PUT")]
    for request in [*BYTES, *targets]:
        answer = raw(house.ports[process], request)
        # To its sender, the library that serves the metrics quotes what it cannot read.
        if process != "METRICS_PORT":
            assert told(without_its_name(answer)) == [], request
    check_untold(house)


def test_a_wrong_api_key_is_never_told(house: House, user: UUID) -> None:
    for given in (SECRET, API_KEY[:-1] + "x", f"Bearer {API_KEY}", f"{API_KEY},{API_KEY}"):
        answer = httpx.get(f"{house.api_url}/wallets/{user}/balance", headers={"X-API-Key": given})
        assert answer.status_code == 401
        assert told(of_answer(answer)) == []
    check_untold(house)


def test_who_is_said_to_have_forwarded_a_request_changes_nothing(house: House, user: UUID) -> None:
    """No log, metric or answer has the address; what is not believed cannot be used to pass for someone else."""
    forged = {
        "X-Forwarded-For": f"{ADDRESS}, {ADDRESS}",
        "X-Forwarded-Host": ADDRESS,
        "X-Forwarded-Proto": "https",
        "Forwarded": f"for={ADDRESS};host={ADDRESS};proto=https",
        "X-Real-IP": ADDRESS,
    }
    for path in (f"/wallets/{user}/balance", "/healthz", "/nowhere", "/docs", "/openapi.json"):
        plain, other = (
            httpx.get(f"{house.api_url}{path}", headers=HEADERS | {"X-Request-ID": "same"} | headers)
            for headers in ({}, forged)
        )
        assert (other.status_code, other.content) == (plain.status_code, plain.content)
        assert [h for h in other.headers.items() if h[0] != "date"] == [
            h for h in plain.headers.items() if h[0] != "date"
        ]
    check_untold(house)


def test_the_database_servers_log_has_no_value_of_a_refused_statement(
    house: House, user: UUID, postgres_server: PostgresServer
) -> None:
    check_untold(house)
    log = postgres_server.log.read_text(errors="replace")
    assert told(log) == []


def test_what_a_caller_names_is_kept_where_the_contract_wants_it_and_nowhere_else(house: House, user: UUID) -> None:
    """The exceptions, one canary each: key, reference, trace and request id."""
    key, reference, request_id = (f"{name}-{uuid4().hex}" for name in ("key", "reference", "request"))
    trace = uuid4().hex
    order = {"provider_id": str(house.provider_id), "external_reference": reference, "amount": 5, "currency": "USD"}
    headers = {
        "Idempotency-Key": key,
        "X-Request-ID": request_id,
        "traceparent": f"00-{trace}-b7ad6b7169203331-01",
    }
    first = post(house, user, json.dumps(order).encode(), **headers)
    reused = post(house, user, json.dumps(order | {"amount": 6}).encode(), **headers)
    assert (first.status_code, reused.status_code) == (201, 422)
    wait_until(lambda: len(house.trail(first.json()["payment_id"])) == 2, "the audit trail")
    events = {"outbox_events.payload", "audit.events.payload"}
    assert columns_with(house, key) == {"idempotency_keys.key", "payments.idempotency_key"}
    assert columns_with(house, reference) == events | {
        "payments.external_reference",
        "idempotency_keys.response_body",
    }
    assert columns_with(house, trace) == events | {"payments.traceparent"}
    assert columns_with(house, request_id) == set()
    assert logs_with(house, request_id) == {"api"}
    assert logs_with(house, reference) == {"api"}
    for canary in (key, trace):
        assert logs_with(house, canary) == set()
    for canary in (key, reference, trace):
        assert canary not in of_answer(reused)
    assert request_id in first.headers["X-Request-ID"] == reused.headers["X-Request-ID"]
    assert not {canary for canary in (key, reference, trace, request_id) if canary in metrics_of(house)}


def test_a_name_that_does_not_belong_is_told_to_its_sender_alone(house: House, user: UUID) -> None:
    """`details` says which member it is; an amount that is too high is in the answer, too, and in the line of that."""
    member, parameter = f"member-{uuid4().hex}", f"parameter-{uuid4().hex}"
    assert member in post(house, user, json.dumps({member: SECRET}).encode()).json()["error"]["details"]
    assert parameter in house.get(f"/wallets/{user}/balance", **{parameter: "1"}).json()["error"]["details"]
    amount = 10**15 + uuid4().int % 10**15
    assert house.pay(user, amount).json()["error"]["details"]["amount"] == amount
    for canary, places in ((member, set()), (parameter, set()), (str(amount), {"api"})):
        assert logs_with(house, canary) == places
        assert canary not in metrics_of(house)
    for canary in (member, parameter):
        assert columns_with(house, canary) == set()
    house.verify()


def test_the_documentation_and_the_metrics_can_be_closed(house: House, tmp_path: Path) -> None:
    closed = House(house.database, "amqp://unused", tmp_path, EXPOSE_DOCS="false", EXPOSE_METRICS="false")
    closed.start_api()
    try:
        for path in ("/docs", "/openapi.json", "/metrics", "/docs/", "/metrics?a=1", "//metrics"):
            answer = httpx.get(f"{closed.api_url}{path}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND"), path
        assert httpx.get(f"{closed.api_url}/healthz").status_code == 200
    finally:
        assert closed.stop_all() == {"api": 0}
