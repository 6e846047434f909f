"""Ports that are free: nobody else is given one before its server is there, and what is there may be anything."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from app.main.local.probe import answers
from app.platform.process.processes import free_port

ASKED = 2_000


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_nobody_else_is_given_a_port_that_was_found_free() -> None:
    found = {free_port() for _ in range(100)}
    given = set()
    for _ in range(ASKED):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            given.add(other.getsockname()[1])
    assert len(found) == 100
    assert not found & given


def test_the_server_that_it_was_found_for_is_let_in() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server, socket.create_connection(server.getsockname()):
        pass


def test_a_port_that_is_wanted_is_taken_unless_somebody_listens(server: socket.socket) -> None:
    wanted, taken = free_port(), server.getsockname()[1]
    assert free_port(wanted) == wanted
    assert free_port(taken) != taken


@pytest.mark.parametrize("says", [b"AMQP\x00\x00\x09\x01", b"-ERR unknown command\r\n", b""])
def test_what_speaks_something_else_does_not_answer(server: socket.socket, says: bytes) -> None:
    def speak() -> None:
        with server.accept()[0] as caller, suppress(OSError):  # who asks may not have waited
            caller.recv(1024)
            caller.sendall(says)

    speaking = threading.Thread(target=speak)
    speaking.start()
    answered = answers(f"http://127.0.0.1:{server.getsockname()[1]}/")
    speaking.join(120)
    assert not answered
