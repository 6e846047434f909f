"""Answers that go on and have an end without which they are none: where it is not reached nothing looks like one."""

import socket
import zlib
from collections.abc import Iterator

import pytest

from app.platform.http.event_stream import COMMENT
from app.platform.http.streamed import Streamed
from tests.api_harness import wait_until
from tests.platform import doorman, made_up_streams
from tests.platform.made_up_streams import AWAY, FIRST, Ticking, ticking
from tests.platform.reading_streams import everything, read_until, unchunked
from tests.platform.test_streams_end import AS_CUSTOMER

LAST = b"data: the last\n\n"
GZIP = b"Accept-Encoding: gzip\r\n"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ticking]:
    """What is told is whole."""
    monkeypatch.setattr(
        made_up_streams, "event_stream", lambda body: Streamed(body, b"text/csv; charset=utf-8", is_whole=True)
    )
    with ticking() as served:
        yield served


def body_of(connection: socket.socket, taken: bytes) -> bytes:
    return (taken + everything(connection)).partition(b"\r\n\r\n")[2]


def test_all_that_was_said_ends_it_and_the_connection_goes_on(api: Ticking) -> None:
    with api.listening() as connection:
        taken = read_until(connection, FIRST)
        api.tell(b"the last", is_over=True)
        taken = read_until(connection, b"0\r\n\r\n", taken)
        assert unchunked(taken.partition(b"\r\n\r\n")[2])[1]
        connection.sendall(b"GET /v1/mine HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert everything(connection).startswith(b"HTTP/1.1 200")


def test_what_cannot_be_said_breaks_it_off(api: Ticking) -> None:
    with api.listening() as connection:
        taken = read_until(connection, FIRST)
        api.tell(failure=AWAY)
        assert unchunked(body_of(connection, taken))[1] is False
    wait_until(lambda: api.ended("unavailable") == 1)


def test_where_there_are_no_chunks_it_is_reset(api: Ticking) -> None:
    with api.listening(version=b"1.0") as connection:
        read_until(connection, FIRST)
        api.tell(failure=AWAY)
        with pytest.raises(ConnectionResetError):
            everything(connection)


def test_whoever_is_let_in_no_more_hears_no_end_of_it(api: Ticking, monkeypatch: pytest.MonkeyPatch) -> None:
    with api.listening(AS_CUSTOMER) as connection:
        taken = read_until(connection, FIRST)
        monkeypatch.delitem(doorman.TOKENS, "customer")
        assert unchunked(body_of(connection, taken))[1] is False
    wait_until(lambda: api.ended("not_let_in") == 1)


def test_the_end_of_the_process_leaves_it_the_grace(api: Ticking) -> None:
    with api.listening() as connection:
        taken = read_until(connection, FIRST)
        api.server.stop()
        wait_until(lambda: not api.server.servers[0].is_serving())
        api.tell(b"the last", is_over=True)
        said, is_whole = unchunked(body_of(connection, taken))
    assert is_whole
    assert LAST in said


def test_it_is_packed_piece_by_piece_for_who_takes_it_packed(api: Ticking) -> None:
    with api.listening(GZIP + b"Connection: close\r\n") as connection:
        api.tell(*[b"x" * 1_000] * 100, is_over=True)
        head, _, body = everything(connection).partition(b"\r\n\r\n")
    assert b"content-encoding: gzip" in head
    assert b"Accept-Encoding" in head
    packed, is_whole = unchunked(body)
    assert is_whole
    said = zlib.decompress(packed, wbits=31).replace(COMMENT, b"")
    assert said.count(b"x" * 1_000) == 100
    assert len(packed) < 5_000
