"""What a connection holds is given out so that the parser never gets as far as the request after the next."""

import random

import httptools
import pytest

from app.platform.http.held import Held

BODY = b'{"a":"\r\n\r\n"}'
REQUESTS = {
    "without a body": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "without headers": b"GET / HTTP/1.1\r\n\r\n",
    "behind empty lines": b"\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "with a body": b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY),
    "with an empty body": b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "in chunks": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n%x;a=1\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
    "with trailers": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: b\r\nB: c\r\n\r\n",
    "with chunks of line ends": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n\r\n\r\n\r\n0\r\n\r\n",
}


class Parsed:
    """Counts what the parser sees, and tells what is held how long a body is, as the server does."""

    def __init__(self, held: Held) -> None:
        self.held = held
        self.began = self.ended = 0
        self.body = b""

    def on_message_begin(self) -> None:
        self.began += 1

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-length":
            self.held.body_left = int(value)

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.ended += 1
        self.held.begin()


@pytest.mark.parametrize("seed", range(40))
def test_however_requests_arrive_no_piece_goes_beyond_the_end_of_one(seed: int) -> None:
    chance = random.Random(seed)
    kinds = chance.choices(list(REQUESTS), k=30)
    wire = b"".join(REQUESTS[kind] for kind in kinds)
    held = Held()
    parsed = Parsed(held)
    parser = httptools.HttpRequestParser(parsed)
    most = chance.choice([1, 3, 10, 100, len(wire)])
    while wire:
        size = chance.randint(1, most)
        held.add(wire[:size])
        wire = wire[size:]
        while piece := held.next():
            began, ended = parsed.began, parsed.ended
            parser.feed_data(piece)
            assert parsed.began <= ended + 1, piece
            assert parsed.ended in (ended, parsed.began), piece
            assert parsed.began - began <= 1
        assert held.is_empty
    assert parsed.ended == len(kinds)


def test_what_is_held_is_given_out_once_and_whole() -> None:
    held = Held()
    held.add(b"one\r\n\r")
    assert (held.next(), held.next(), held.is_empty) == (b"one\r\n\r", b"", True)
    held.add(b"\ntwo\r\n\r\nthree")
    assert [held.next(), held.next(), held.next(), held.next()] == [b"\n", b"two\r\n\r\n", b"three", b""]
    held.begin()
    held.body_left = 4
    held.add(b"\r\n\r\nfour\r\n\r\n")
    assert [held.next(), held.next(), held.next()] == [b"\r\n\r\n", b"four\r\n\r\n", b""]
    held.begin()
    assert held.head_bytes == 0


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/1.1\r\nHost: a\n\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\n",
        b"GET / HTTP/1.1\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\n\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\n\n",
    ],
)
def test_the_parser_takes_no_other_end_of_a_request_than_the_one_that_is_looked_for(head: bytes) -> None:
    parsed = Parsed(Held())
    parser = httptools.HttpRequestParser(parsed)
    with pytest.raises(httptools.HttpParserError):
        parser.feed_data(head + b"GET / HTTP/1.1\r\n\r\n")
    assert parsed.ended == 0
