"""`strongbox run`, really run with stand-ins for the services: order, restarts, and what a killed run leaves behind."""

import json
import signal
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
import pytest

from app.main.contexts import load
from app.main.local import plan
from app.main.local.clean import clean
from app.main.local.postgres import PostgresServer
from app.platform.process.processes import CannotStart, free_port
from app.platform.process.run_state import discovered, urls
from tests.system.local_runs import LIMIT_S, RUN, Terminal, soon, terminal

__all__ = ["terminal"]

EVERYBODY = {"api", "relay", "gateway"}


def state_of(pid: int) -> str:
    """What the system says that a process does: T is halted."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_run_serves_is_found_and_ends_in_order(terminal: Terminal) -> None:
    run = terminal.start()
    soon(terminal.serves)
    assert "curl -i http://127.0.0.1:" in terminal.output()
    found = discovered(terminal.base)
    assert found["BROKER"] == "in-process"
    with psycopg.connect(found["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("strongbox_service",)
    assert urls(terminal.base)["gateway"] == found["GATEWAY_URL"]
    assert (terminal.base / "run.json").stat().st_mode & 0o777 == 0o600

    soon(lambda: terminal.begun() == EVERYBODY)
    # Halted it gets both at once, however long this process has to wait for a core in between.
    run.send_signal(signal.SIGSTOP)
    soon(lambda: state_of(run.pid) == "T")
    run.send_signal(signal.SIGINT)
    run.send_signal(signal.SIGTERM)  # the same wish: make passes on what its group got as well
    run.send_signal(signal.SIGCONT)
    assert run.wait(LIMIT_S) == 0
    assert (terminal.folder / "ended").read_text().split() == ["api", "relay", "gateway"]
    assert discovered(terminal.base) == {}
    assert not (terminal.base / "run.json").exists()
    assert not PostgresServer(terminal.base / "postgres").find_running()


def test_the_mock_gateway_begins_as_the_settings_file_says(terminal: Terminal) -> None:
    (terminal.folder / "settings.yaml").write_text("mock_gateway_mode: timeout\n")
    terminal.start(STRONGBOX_CONFIG="settings.yaml")
    soon(terminal.serves)
    given = Path(f"/proc/{terminal.processes()['gateway'].pid}/environ").read_bytes()
    assert b"MOCK_GATEWAY_MODE=timeout" in given.split(b"\0")


def test_a_second_run_in_the_folder_is_refused(terminal: Terminal) -> None:
    terminal.start()
    soon(terminal.serves)
    assert terminal.start().wait(LIMIT_S) == 1
    assert "another `strongbox run` is alive" in terminal.output()
    with pytest.raises(CannotStart, match="another `strongbox run` is alive"):
        clean(terminal.base)


def test_a_part_that_dies_is_started_again(terminal: Terminal) -> None:
    terminal.start()
    soon(terminal.serves)
    first = terminal.processes()["relay"]
    first.send(signal.SIGKILL)
    soon(lambda: terminal.processes()["relay"] != first and terminal.processes()["relay"].alive)
    soon(lambda: "relay was killed by SIGKILL; it is started again in 0.5 s" in terminal.output())


def test_what_a_killed_run_left_behind_is_ended_or_adopted(terminal: Terminal) -> None:
    """Its processes are ended, by the kernel's signal or by the next run; its database serves on and is taken over."""
    run = terminal.start("deaf")
    soon(terminal.serves)
    parts = terminal.processes()
    postgres = PostgresServer(terminal.base / "postgres")
    assert postgres.find_running()
    run.kill()
    run.wait()
    assert discovered(terminal.base) == {}
    # The kernel's signal has reached those that are not deaf: before they are gone the next run ends them as well.
    soon(lambda: not any(parts[name].alive for name in ("relay", "gateway")))
    (terminal.folder / "output").write_text("")
    terminal.start(SHUTDOWN_GRACE_S="1")
    soon(terminal.serves)
    assert "Ended what a killed run left behind: api" in terminal.output()
    assert not any(process.alive for process in parts.values())
    successor = PostgresServer(terminal.base / "postgres")
    assert successor.find_running()
    assert successor.process == postgres.process


def test_a_second_signal_ends_at_once(terminal: Terminal) -> None:
    run = terminal.start("deaf", SHUTDOWN_GRACE_S="600")
    soon(terminal.serves)
    parts = terminal.processes()
    run.send_signal(signal.SIGINT)
    soon(lambda: "Ctrl-C again ends at once" in terminal.output())

    def ended() -> bool:
        run.send_signal(signal.SIGINT)
        return run.poll() is not None

    soon(ended)
    assert run.returncode == 130
    soon(lambda: not any(process.alive for process in parts.values()))
    soon(lambda: not PostgresServer(terminal.base / "postgres").find_running())


def test_a_part_that_does_not_end_within_the_grace_is_killed(terminal: Terminal) -> None:
    run = terminal.start("deaf", SHUTDOWN_GRACE_S="1")
    soon(terminal.serves)
    soon(lambda: terminal.begun() == EVERYBODY)
    run.send_signal(signal.SIGTERM)
    assert run.wait(LIMIT_S) == 0
    assert "api did not end within" in terminal.output()
    assert (terminal.folder / "ended").read_text().split() == ["relay", "gateway"]


def test_a_stop_while_it_starts_leaves_nothing_running(terminal: Terminal) -> None:
    run = terminal.start()
    soon(lambda: "Starting PostgreSQL" in terminal.output())
    run.send_signal(signal.SIGTERM)
    assert run.wait(LIMIT_S) == 0
    assert not PostgresServer(terminal.base / "postgres").find_running()


def test_a_part_that_cannot_start_ends_the_run_and_shows_why(terminal: Terminal) -> None:
    assert terminal.start("broken").wait(LIMIT_S) == 1
    assert "api ended while it was starting:\n    it is broken" in terminal.output()


def test_a_port_that_was_asked_for_and_is_taken_is_refused_by_name(terminal: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        assert terminal.start(HTTP_PORT=str(taken)).wait(LIMIT_S) == 1
    assert f"HTTP_PORT: port {taken} is in use" in terminal.output()


def test_a_default_port_that_is_taken_gives_way_and_that_is_said() -> None:
    said: list[str] = []
    usual = plan.defaults(load({}))
    with ExitStack() as stack:
        for default in usual.values():
            with suppress(OSError):  # somebody else has it already
                stack.enter_context(socket.create_server(("127.0.0.1", default)))
        ports = plan.choose_ports(load({}), said.append, environ={})
    assert len({*ports.values(), *usual.values()}) == 2 * len(usual)
    assert [line.partition(":")[0] for line in said] == [*usual]


def test_a_default_port_gives_way_to_one_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    free = free_port()
    monkeypatch.setitem(plan.DEFAULTS, "CONSUMER_METRICS_PORT", free)
    ports = plan.choose_ports(load({"HTTP_PORT": str(free)}), lambda _: None, environ={})
    assert ports["HTTP_PORT"] == free
    assert ports["CONSUMER_METRICS_PORT"] != free


def test_a_killed_postgres_is_started_again_where_it_was(terminal: Terminal) -> None:
    terminal.start()
    soon(terminal.serves)
    postgres = PostgresServer(terminal.base / "postgres")
    assert postgres.find_running()
    assert postgres.process
    postgres.process.send(signal.SIGKILL)
    soon(lambda: "PostgreSQL has died" in terminal.output())
    url = discovered(terminal.base)["DATABASE_URL"]

    def serves() -> bool:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            return False
        return True

    soon(serves)


def test_what_is_given_is_used_and_not_started(terminal: Terminal, postgres_url: str) -> None:
    given = {"DATABASE_URL": postgres_url, "RABBITMQ_URL": "amqp://given/", "GATEWAY_URL": "http://given.test"}
    (terminal.folder / "run.py").write_text(
        RUN.replace("assert in_process", "assert not in_process").replace("[(gateway,), ", "[")
    )
    terminal.start(HTTP_PORT=str(free_port()), **given)
    soon(terminal.serves)
    found = discovered(terminal.base)
    assert {name: found[name] for name in given} == given
    assert found["BROKER"] == "rabbitmq"
    assert not (terminal.base / "postgres").exists()
    assert json.loads((terminal.base / "run.json").read_text())["urls"]["gateway"] == "http://given.test"
