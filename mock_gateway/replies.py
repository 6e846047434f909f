"""What can become of a request on the wire, and how the answers read."""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import NamedTuple

import msgspec

from mock_gateway.charges import Charge, Record
from mock_gateway.modes import Fate


class Answer(NamedTuple):
    """A well-formed HTTP response; `headers` are whole lines."""

    status: int
    body: bytes = b""
    headers: bytes = b""


class Listing(NamedTuple):
    """A 200 whose body is sent piece by piece, as fast as it is read."""

    pieces: Iterator[bytes]
    media_type: bytes = b"application/json"


class Raw(NamedTuple):
    """These bytes as they are, then the connection is closed."""

    data: bytes


class Reset(NamedTuple):
    """A TCP RST in place of an answer."""


Settled = Answer | Listing | Raw | Reset


class Held(NamedTuple):
    """The connection stays open; after `delay_s` seconds `then` runs, client or none, and its reply is sent."""

    delay_s: float
    then: Callable[[], Settled]


Reply = Settled | Held


def problem(status: int, message: str, headers: bytes = b"") -> Answer:
    """An error, with the status's name as its code."""
    error = {"error": {"code": HTTPStatus(status).name, "message": message}}
    return Answer(status, msgspec.json.encode(error), headers)


def charged(charge: Charge, status: int = 200) -> Answer:
    return Answer(status, msgspec.json.encode(charge))


def voided(record: Record, status: int = 200) -> Answer:
    return Answer(status, b'{"payment_id":"%b","status":"VOIDED"}' % record.payment_id.encode())


def garbage(roll: int) -> Settled:
    """One of several answers that are not the contract's, from broken HTTP to JSON that looks right."""
    html = b"<html><body><h1>Service restarting</h1></body></html>"
    stranger = Charge(
        "00000000-0000-4000-8000-00000000c0de", "00000000-0000-4000-8000-00000000beef", 1, "USD", "APPROVED", None
    )
    choices: tuple[Settled, ...] = (
        Answer(200, html),
        Answer(201, b'{"charge_id":"7e'),
        Answer(201, b'{"status":"APPROVED"}'),
        Answer(201, b"\xff\xfe[[[["),
        charged(stranger, 201),
        Raw(b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 200\r\n\r\n{"),
        Raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    )
    return choices[roll % len(choices)]


def failure(fate: Fate) -> Settled:
    """What a request that fails at once is answered with."""
    match fate.kind:
        case "reset":
            return Reset()
        case "garbage":
            return garbage(fate.roll)
        case "429":
            return problem(429, "too many requests", b"retry-after: 1\r\n")
    return problem(500, "the gateway failed")
