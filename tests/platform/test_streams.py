"""Answers that go on: how they are sent, how they end, and what is told of them."""

import re
import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.platform.http import connection as connections
from app.platform.http.event_stream import COMES_BACK_AFTER_MS, FAREWELL, LAST_EVENT_ID, event
from app.platform.http.headers import Head
from tests.api_harness import wait_until
from tests.pace import slow
from tests.platform import doorman
from tests.platform.made_up_market import LISTED
from tests.platform.made_up_streams import AWAY, FIRST, ROUTE, Ticking, ticking
from tests.platform.test_api_holding import leave, parsed, reset, without_the_collector

CLOSING = b"Connection: close\r\n"
ASKS_MINE = b"GET /v1/mine HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
AS_CUSTOMER = b"Authorization: Bearer customer\r\n"
LARGE = b"x" * 20_000
TAKEN_WITHIN_S = 0.5


@pytest.fixture
def api() -> Iterator[Ticking]:
    with ticking() as served:
        yield served


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the service is, but for the time that it gives."""
    monkeypatch.setattr(connections, "TAKEN_WITHIN_S", TAKEN_WITHIN_S)


def read_until(connection: socket.socket, end: bytes, taken: bytes = b"") -> bytes:
    """All that comes, until that has."""
    while end not in taken:
        piece = connection.recv(65_536)
        assert piece, taken
        taken += piece
    return taken


def everything(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as answer:
        return answer.read()


def unchunked(body: bytes) -> tuple[bytes, bool]:
    """What the chunks hold, and whether the last one is there."""
    held = b""
    while match := re.match(rb"([0-9a-f]+)\r\n", body):
        size, body = int(match[1], 16), body[match.end() :]
        if size == 0:
            assert body.startswith(b"\r\n")
            return held, True
        held, body = held + body[:size], body[size + 2 :]
    return held, False


def without_comments(events: bytes) -> bytes:
    return events.replace(b":\n\n", b"")


def request_lines(logged: list[Any]) -> list[dict[str, Any]]:
    return [line for line in logged if line["event"] == "request" and line["route"] == ROUTE]


def test_a_stream_is_sent_in_chunks_as_it_is_said_and_its_connection_goes_on(api: Ticking) -> None:
    with api.listening() as connection:
        head, _, body = read_until(connection, FIRST).partition(b"\r\n\r\n")
        told = {line.split(b": ")[0]: line.split(b": ")[1] for line in head.split(b"\r\n")[1:]}
        assert head.startswith(b"HTTP/1.1 200 OK")
        assert told[b"content-type"] == b"text/event-stream"
        assert told[b"transfer-encoding"] == b"chunked"
        assert told[b"cache-control"] == b"no-store"
        assert told[b"x-accel-buffering"] == b"no"
        assert b"x-request-id" in told
        assert not {b"content-length", b"connection", b"content-encoding"} & told.keys()
        api.tell(b"1")
        body = read_until(connection, b"data: 1\n\n", body)
        api.tell(b"2", is_over=True)
        said, is_whole = unchunked(read_until(connection, b"\r\n0\r\n\r\n", body))
        assert without_comments(said) == FIRST + event("tick", 1, b"1") + event("tick", 2, b"2")
        assert is_whole
        connection.sendall(ASKS_MINE)
        assert everything(connection).startswith(b"HTTP/1.1 200 OK")


def test_comments_come_while_there_is_nothing_to_say_and_while_there_is(api: Ticking) -> None:
    with api.listening() as connection:
        taken = read_until(connection, FIRST)
        while taken.count(b":\n\n") < 3:
            api.tell(b"more")
            taken += connection.recv(65_536)
        assert b"data: more" in taken


def test_to_http_1_0_it_is_sent_as_it_is_and_ends_with_its_connection(api: Ticking) -> None:
    for head in (b"", b"Connection: keep-alive\r\n"):
        with api.listening(head, version=b"1.0") as connection:
            taken = read_until(connection, FIRST)
            api.tell(b"1", is_over=True)
            told, _, body = (taken + everything(connection)).partition(b"\r\n\r\n")
        assert b"transfer-encoding" not in told
        assert b"connection: close" in told
        assert without_comments(body).startswith(FIRST + event("tick", 1, b"1"))
        assert without_comments(body).endswith(b"data: 1\n\n")


def test_other_answers_to_http_1_0_are_what_they_were(api: Ticking) -> None:
    for method, has_body in ((b"GET", True), (b"HEAD", False)):
        with api.connect() as connection:
            connection.sendall(b"%s /v1/mine HTTP/1.0\r\nHost: a\r\n\r\n" % method)
            head, _, body = everything(connection).partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        assert length
        assert bool(body) is has_body
        assert not has_body or len(body) == int(length[1])


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_head_is_answered_by_the_head_alone(api: Ticking, version: bytes) -> None:
    with api.listening(CLOSING, b"HEAD", version) as connection:
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"content-type: text/event-stream" in answer
    assert answer.endswith(b"\r\n\r\n")
    assert answer.count(b"\r\n\r\n") == 1
    assert api.ticks.streams == set()


def test_pages_of_listed_sites_may_read_it_and_it_is_never_packed(api: Ticking) -> None:
    asked = b"Accept-Encoding: gzip\r\nOrigin: %s\r\n" % LISTED.encode()
    with api.listening(asked) as connection:
        api.tell(LARGE)
        head, _, body = read_until(connection, LARGE).partition(b"\r\n\r\n")
    assert b"access-control-allow-origin: " + LISTED.encode() in head
    assert b"vary: Origin" in head
    assert b"content-encoding" not in head
    assert event("tick", 1, LARGE) in unchunked(body)[0]


def test_it_goes_on_behind_the_id_that_is_shown(api: Ticking) -> None:
    api.tell(b"1", b"2", b"3", is_over=True)
    with api.listening(CLOSING + b"Last-Event-ID: 2\r\n") as connection:
        _, _, body = everything(connection).partition(b"\r\n\r\n")
    assert unchunked(body) == (FIRST + event("tick", 3, b"3"), True)


@pytest.mark.parametrize("end", [leave, reset, lambda connection: connection.shutdown(socket.SHUT_WR)])
def test_a_client_that_leaves_ends_it_at_once(api: Ticking, end: Callable[[socket.socket], None]) -> None:
    with api.listening() as other, api.listening() as connection:
        read_until(other, FIRST)
        read_until(connection, FIRST)
        assert api.open() == 2
        end(connection)
        wait_until(lambda: api.ended("gone") == 1, within_s=slow(5))
        assert api.open() == 1
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
        assert api.open() == 1
        with pytest.raises(ConnectionResetError):
            everything(never)


def test_who_comes_back_to_taking_goes_on_where_it_stood(api: Ticking) -> None:
    with api.listening(small=4096) as connection:
        for _ in range(40):
            api.tell(LARGE)
        wait_until(lambda: len(api.ticks.told) == 40)
        api.tell(is_over=True)
        _, _, body = read_until(connection, b"\r\n0\r\n\r\n").partition(b"\r\n\r\n")
    said = without_comments(unchunked(body)[0])
    assert said == FIRST + b"".join(event("tick", n, LARGE) for n in range(1, 41))


def test_a_line_and_a_count_are_told_when_it_ends_and_its_time_is_that_of_its_first_piece(
    api: Ticking, logged: list[Any]
) -> None:
    with api.listening(CLOSING) as connection:
        read_until(connection, FIRST)
        assert api.open() == 1
        time.sleep(0.4)  # that long it lasts
        assert request_lines(logged) == []
        api.tell(is_over=True)
        everything(connection)
    wait_until(lambda: request_lines(logged) != [])
    (line,) = request_lines(logged)
    assert (line["status"], line["ended"]) == (200, "said")
    assert line["lasted_s"] >= 0.4
    assert line["latency_ms"] < 400
    assert (api.open(), api.ended("said")) == (0, 1)
    timed = {"method": "GET", "route": ROUTE}
    wait_until(lambda: api.registry.get_sample_value("http_request_duration_seconds_count", timed) == 1)
    lasted = api.registry.get_sample_value("http_request_duration_seconds_sum", timed)
    assert lasted is not None
    assert lasted < 0.4


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
    assert time.monotonic() - began < slow(5)
    assert f"retry: {COMES_BACK_AFTER_MS}\n".encode() in FAREWELL
    assert {line["ended"] for line in request_lines(logged)} == {"drained"}


def test_while_the_process_ends_a_stream_is_over_as_it_begins(api: Ticking) -> None:
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
    assert (api.ended("not_let_in"), api.open()) == (1, 2)
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
        wait_until(lambda: api.ended("not_let_in") == 1, within_s=slow(2))
        api.tell(b"a secret")
        assert b"a secret" not in read_until(connection, b"\r\n0\r\n\r\n")


def test_where_nobody_can_tell_who_is_let_in_it_ends(api: Ticking) -> None:
    with api.listening(AS_CUSTOMER + CLOSING) as shown, api.listening(CLOSING) as of_nobody:
        read_until(shown, FIRST)
        read_until(of_nobody, FIRST)
        api.doorman.is_away = True
        assert everything(shown).endswith(b"0\r\n\r\n")
        assert (api.ended("unavailable"), api.open()) == (1, 1)


def test_what_cannot_be_said_now_ends_it_and_a_bug_breaks_it_off(api: Ticking, logged: list[Any]) -> None:
    with api.listening(CLOSING) as connection:
        read_until(connection, FIRST)
        api.tell(failure=AWAY)
        assert everything(connection).endswith(b"0\r\n\r\n")
    assert api.ended("unavailable") == 1
    api.tell()
    with api.listening() as connection:
        taken = read_until(connection, FIRST)
        api.tell(failure=RuntimeError("a secret"))
        taken += everything(connection)
    assert unchunked(taken.partition(b"\r\n\r\n")[2])[1] is False
    assert api.ended("failed") == 1
    assert "a secret" not in repr(logged)


def test_what_is_asked_behind_it_has_its_turn_when_it_is_over(api: Ticking) -> None:
    with api.listening() as connection:
        connection.sendall(ASKS_MINE)
        taken = read_until(connection, FIRST)
        api.tell(b"1", is_over=True)
        taken += everything(connection)
    assert taken.count(b"HTTP/1.1 200 OK") == 2
    assert taken.index(b"data: 1\n\n") < taken.rindex(b"HTTP/1.1 200 OK")


def test_a_reset_with_bytes_held_behind_it_is_seen_by_what_is_sent(api: Ticking) -> None:
    with api.listening() as connection:
        connection.sendall(ASKS_MINE)
        read_until(connection, FIRST)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_until(lambda: api.open() == 0, within_s=slow(5))


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ([b"17"], 17),
        ([b"0"], 0),
        ([], None),
        ([b""], None),
        ([b"01"], None),
        ([b"-1"], None),
        ([b"1.0"], None),
        ([b"\xd9\xa1"], None),
        ([b"9" * 10], None),
        ([b"1", b"2"], None),
    ],
)
def test_an_id_that_is_none_is_as_if_none_were_shown(given: list[bytes], read: int | None) -> None:
    assert LAST_EVENT_ID.read(Head([(b"last-event-id", each) for each in given])) == read
