"""A report takes longer to come than other bodies, and may, as long as it keeps coming."""

import socket
import time

import pytest

from tests.pace import slow
from tests.reconciliation.desk import DAY, PATH, Desk, Row, line, report

PAUSE_S = 0.3


@pytest.fixture(autouse=True)
def within_s(monkeypatch: pytest.MonkeyPatch) -> float:
    """How long bodies have here: three pauses, and longer where a busy machine makes these longer."""
    within_s = slow(3 * PAUSE_S)
    monkeypatch.setattr("app.platform.http.connection.BODY_WITHIN_S", within_s)
    return within_s


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
    assert sent(desk, body, pieces=10, pause_s=PAUSE_S).startswith(b"HTTP/1.1 201 ")


def test_one_that_trickles_is_not(desk: Desk, within_s: float) -> None:
    body = report(*(line(Row(desk.tenant)) for _ in range(100)))
    answer = sent(desk, body, pieces=20, pause_s=within_s / 3)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"took too long" in answer
