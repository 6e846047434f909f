"""Answers that go on: how they end, by whoever ends them."""

import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.platform.http import connection as connections
from app.platform.http.event_stream import COMES_BACK_AFTER_MS, FAREWELL
from tests.api_harness import wait_until
from tests.pace import slow
from tests.platform import doorman
from tests.platform.made_up_streams import AWAY, CLOSING, FIRST, LARGE, ROUTE, Ticking, ticking
from tests.platform.reading_streams import everything, read_until, request_lines, unchunked
from tests.platform.test_api_holding import leave, parsed, reset, without_the_collector

AS_CUSTOMER = b"Authorization: Bearer customer\r\n"
TAKEN_WITHIN_S = 0.5


@pytest.fixture
def api() -> Iterator[Ticking]:
    with ticking() as served:
        yield served


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the service is, but for the time that it gives."""
    monkeypatch.setattr(connections, "TAKEN_WITHIN_S", TAKEN_WITHIN_S)


@pytest.mark.parametrize("end", [leave, reset, lambda connection: connection.shutdown(socket.SHUT_WR)])
def test_a_client_that_leaves_ends_it_at_once(api: Ticking, end: Callable[[socket.socket], None]) -> None:
    with api.listening() as other, api.listening() as connection:
        read_until(other, FIRST)
        read_until(connection, FIRST)
        assert api.open() == 2
        end(connection)
        wait_until(lambda: (api.ended("gone"), api.open()) == (1, 1), within_s=slow(5))
        api.tell(b"1")
        read_until(other, b"data: 1\n\n")


def test_what_it_held_is_freed_when_it_ends(api: Ticking) -> None:
    for version in (b"1.0", b"1.1"):
        before = len(parsed())
        with without_the_collector():
            for end in (leave, reset):
                several = [api.listening(AS_CUSTOMER, version=version) for _ in range(5)]
                for connection in several:
                    read_until(connection, FIRST)
                for connection in several:
                    end(connection)
            wait_until(lambda: api.open() == 0)
            wait_until(lambda before=before: len(parsed()) <= before)


@pytest.mark.usefixtures("impatient")
def test_who_takes_nothing_is_cut_and_delays_nobody(api: Ticking) -> None:
    with api.listening(small=4096) as never, api.listening() as other:
        taken = read_until(other, FIRST)
        wait_until(lambda: api.open() == 2)
        began = time.monotonic()
        told = 0
        while api.ended("slow") == 0:
            told += 1
            api.tell(LARGE)
            taken = read_until(other, b"id: %d\n" % told, taken)[-200:]
            assert time.monotonic() - began < slow(20)
        wait_until(lambda: api.open() == 1)
        with pytest.raises(ConnectionResetError):
            everything(never)


def test_the_end_of_the_process_tells_everybody_to_come_back_and_waits_for_nobody(
    api: Ticking, logged: list[Any]
) -> None:
    several = [api.listening() for _ in range(20)]
    for connection in several:
        read_until(connection, FIRST)
    began = time.monotonic()
    api.server.stop()
    for connection in several:
        taken = everything(connection)
        assert taken.endswith(b"%x\r\n%s\r\n0\r\n\r\n" % (len(FAREWELL), FAREWELL))
        connection.close()
    api.thread.join(60)
    assert time.monotonic() - began < slow(5)  # and not the grace
    assert f"retry: {COMES_BACK_AFTER_MS}\n".encode() in FAREWELL
    assert {line["ended"] for line in request_lines(logged)} == {"drained"}


def test_while_the_process_ends_a_stream_is_over_as_it_begins(api: Ticking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "LAST_CALL_S", 60.0)  # what comes behind it is another matter
    with api.connect() as connection:
        connection.sendall(b"GET /v1/mine HTTP/1.1\r\nHost: a\r\n\r\n")
        read_until(connection, b"}")
        api.server.stop()
        wait_until(lambda: not api.server.servers[0].is_serving())
        connection.sendall(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % ROUTE.encode())
        head, _, body = everything(connection).partition(b"\r\n\r\n")
    assert b"connection: close" in head
    assert unchunked(body) == (FAREWELL, True)


def test_it_ends_within_a_second_of_what_let_in_and_nobody_elses_does(
    api: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = (AS_CUSTOMER, b"Authorization: Bearer admin\r\n", b"")
    shown, of_another, of_nobody = (api.listening(head + CLOSING) for head in heads)
    for connection in (shown, of_another, of_nobody):
        read_until(connection, FIRST)
    began = time.monotonic()
    monkeypatch.delitem(doorman.TOKENS, "customer")
    assert everything(shown).endswith(b"0\r\n\r\n")
    assert time.monotonic() - began < slow(1)
    wait_until(lambda: (api.ended("not_let_in"), api.open()) == (1, 2))
    api.tell(b"1", is_over=True)
    for connection in (of_another, of_nobody):
        assert b"data: 1\n\n" in everything(connection)
    for connection in (shown, of_another, of_nobody):
        connection.close()


def test_who_takes_nothing_is_not_told_more_after_a_log_out_either(
    api: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    with api.listening(AS_CUSTOMER, small=4096) as connection:
        for _ in range(40):
            api.tell(LARGE)
        wait_until(lambda: len(api.ticks.told) == 40)
        monkeypatch.delitem(doorman.TOKENS, "customer")
        wait_until(lambda: api.ended("not_let_in") == 1, within_s=slow(5))
        api.tell(b"a secret")
        assert b"a secret" not in read_until(connection, b"\r\n0\r\n\r\n")


def test_where_nobody_can_tell_who_is_let_in_it_ends(api: Ticking) -> None:
    with api.listening(AS_CUSTOMER + CLOSING) as shown, api.listening(CLOSING) as of_nobody:
        read_until(shown, FIRST)
        read_until(of_nobody, FIRST)
        api.doorman.is_away = True
        assert everything(shown).endswith(b"0\r\n\r\n")
        wait_until(lambda: (api.ended("unavailable"), api.open()) == (1, 1))


def test_what_cannot_be_said_now_ends_it_and_a_bug_breaks_it_off(api: Ticking, logged: list[Any]) -> None:
    with api.listening(CLOSING) as connection:
        read_until(connection, FIRST)
        api.tell(failure=AWAY)
        assert everything(connection).endswith(b"0\r\n\r\n")
    wait_until(lambda: api.ended("unavailable") == 1)
    api.tell()
    with api.listening() as connection:
        taken = read_until(connection, FIRST)
        api.tell(failure=RuntimeError("a secret"))
        taken += everything(connection)
    assert unchunked(taken.partition(b"\r\n\r\n")[2])[1] is False
    wait_until(lambda: api.ended("failed") == 1)
    assert "a secret" not in repr(logged)


def test_a_reset_with_bytes_held_behind_it_is_seen_by_what_is_sent(api: Ticking) -> None:
    with api.listening() as connection:
        connection.sendall(b"GET /v1/mine HTTP/1.1\r\nHost: a\r\n\r\n")
        read_until(connection, FIRST)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # Nothing is read behind a request that has its turn, and so no end either: the next piece, or comment, meets it.
    api.tell(b"1")
    wait_until(lambda: api.open() == 0, within_s=slow(5))
