"""Answers that go on: how they are sent, and what is told of them."""

import asyncio
import re
import resource
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from app.platform.http import event_stream, streams
from app.platform.http.event_stream import LAST_EVENT_ID, event
from app.platform.http.headers import Head
from app.platform.http.streams import Stream
from tests.api_harness import wait_until
from tests.platform.made_up_market import LISTED
from tests.platform.made_up_streams import CLOSING, FIRST, LARGE, ROUTE, Ticking, ticking
from tests.platform.reading_streams import everything, read_until, request_lines, unchunked

LASTS_S = 0.4
ASKS_MINE = b"GET /v1/mine HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.fixture
def api() -> Iterator[Ticking]:
    with ticking() as served:
        yield served


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
        assert said == FIRST + event("tick", 1, b"1") + event("tick", 2, b"2")
        assert is_whole
        connection.sendall(ASKS_MINE)
        assert everything(connection).startswith(b"HTTP/1.1 200 OK")


def test_comments_come_while_there_is_nothing_to_say_and_while_there_is(
    api: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "COMMENT_EVERY_S", 0.1)
    with api.listening() as connection:
        read_until(connection, b"\r\n:\n\n\r\n")
        taken = b""
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
        assert body == FIRST + event("tick", 1, b"1")


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


def test_who_comes_back_to_taking_goes_on_where_it_stood(api: Ticking) -> None:
    with api.listening(small=4096) as connection:
        for _ in range(40):
            api.tell(LARGE)
        wait_until(lambda: len(api.ticks.told) == 40)
        api.tell(is_over=True)
        _, _, body = read_until(connection, b"\r\n0\r\n\r\n").partition(b"\r\n\r\n")
    said = unchunked(body)[0]
    assert said == FIRST + b"".join(event("tick", n, LARGE) for n in range(1, 41))


async def test_who_is_woken_before_they_wait_does_not_wait() -> None:
    async def send(_: Any) -> None:
        """Nobody listens."""

    stream, loop = Stream(send), asyncio.get_running_loop()
    stream.wake()
    began = loop.time()
    await stream.wait(began + 60)
    assert loop.time() - began < 30
    await stream.wait(loop.time() + 0.05)  # once, and not for good
    assert loop.time() - began >= 0.05


def test_a_line_and_a_count_are_told_when_it_ends_and_its_time_is_that_of_its_first_piece(
    api: Ticking, logged: list[Any]
) -> None:
    began = time.monotonic()
    with api.listening(CLOSING) as connection:
        read_until(connection, FIRST)
        first_s = time.monotonic() - began
        assert api.open() == 1
        time.sleep(LASTS_S)
        assert request_lines(logged) == []
        api.tell(is_over=True)
        everything(connection)
    wait_until(lambda: request_lines(logged) != [])
    (line,) = request_lines(logged)
    assert (line["status"], line["ended"]) == (200, "said")
    assert line["lasted_s"] >= LASTS_S
    assert line["latency_ms"] / 1_000 < first_s + LASTS_S / 2
    wait_until(lambda: (api.open(), api.ended("said")) == (0, 1))
    timed = {"method": "GET", "route": ROUTE}
    wait_until(lambda: api.registry.get_sample_value("http_request_duration_seconds_count", timed) == 1)
    lasted = api.registry.get_sample_value("http_request_duration_seconds_sum", timed)
    assert lasted is not None
    assert lasted < first_s + LASTS_S / 2


def test_what_is_asked_behind_it_has_its_turn_when_it_is_over(api: Ticking) -> None:
    with api.listening() as connection:
        connection.sendall(ASKS_MINE)
        taken = read_until(connection, FIRST)
        api.tell(b"1", is_over=True)
        taken += everything(connection)
    assert taken.count(b"HTTP/1.1 200 OK") == 2
    assert taken.index(b"data: 1\n\n") < taken.rindex(b"HTTP/1.1 200 OK")


def test_beyond_as_many_as_may_be_open_none_begins_and_all_else_is_answered(
    api: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "most_open", lambda: 2)
    with api.listening() as first, api.listening() as second:
        read_until(first, FIRST)
        read_until(second, FIRST)
        with api.listening() as third:
            refused = everything(third)  # which ends: connections are what there are too many of
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b'"code":"UNAVAILABLE"' in refused
        with api.listening(CLOSING, b"HEAD") as head:
            assert everything(head).startswith(b"HTTP/1.1 200 OK")
        with api.connect() as other:
            other.sendall(ASKS_MINE)
            assert everything(other).startswith(b"HTTP/1.1 200 OK")
        api.tell(b"1")
        read_until(first, b"data: 1\n\n")
    wait_until(lambda: api.open() == 0)
    with api.listening() as again:
        read_until(again, FIRST)


@pytest.mark.parametrize(("files", "most"), [(1024, 512), (20_000, 10_000), (resource.RLIM_INFINITY, sys.maxsize)])
def test_streams_leave_half_of_the_files_that_there_may_be_to_all_else(
    monkeypatch: pytest.MonkeyPatch, files: int, most: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    assert streams.most_open() == most


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
