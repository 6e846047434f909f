"""A report takes longer to come than other bodies, and may, as long as it keeps coming."""

import socket
import time

import pytest

from tests.reconciliation.desk import DAY, PATH, Desk, Row, line, report

WITHIN_S = 0.5


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies have half a second, in place of three times that."""
    monkeypatch.setattr("app.platform.http.connection.BODY_WITHIN_S", WITHIN_S)


def sent(desk: Desk, body: bytes, pieces: int, pause_s: float) -> bytes:
    """What is answered to a report that comes in so many pieces."""
    head = f"POST {PATH}?date={DAY} HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: {len(body)}\r\n"
    (token,) = desk.admin.bearer.values()
    with socket.create_connection(("127.0.0.1", desk.served.port), timeout=60) as client:
        client.sendall(f"{head}Authorization: {token}\r\nConnection: close\r\n\r\n".encode())
        size = -(-len(body) // pieces)
        for begin in range(0, len(body), size):
            time.sleep(pause_s)
            try:
                client.sendall(body[begin : begin + size])
            except OSError:  # it was answered, and the connection ended
                break
        answer = b""
        while more := client.recv(65_536):
            answer += more
        return answer


def test_one_that_keeps_coming_is_waited_for(desk: Desk) -> None:
    body = report(*(line(Row(desk.tenant)) for _ in range(6_000)))
    assert len(body) > 10 * 65_536
    assert sent(desk, body, pieces=10, pause_s=WITHIN_S / 3).startswith(b"HTTP/1.1 201 ")


def test_one_that_trickles_is_not(desk: Desk) -> None:
    body = report(*(line(Row(desk.tenant)) for _ in range(100)))
    answer = sent(desk, body, pieces=20, pause_s=WITHIN_S / 3)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"took too long" in answer
