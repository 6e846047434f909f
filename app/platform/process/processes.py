"""Processes of the operating system: which one is which, how one ends, and which ports are free."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import msgspec


class CannotStart(Exception):  # noqa: N818 -- the message says what is in the way and what helps
    """Something on this machine is missing or in the way; the message says what, and what to do."""


class ProcessId(msgspec.Struct, frozen=True):
    """A process that cannot be mistaken for a later one with the same number."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "ProcessId":
        """The identity of a process that runs now; of one that has ended, an identity that is never alive."""
        return cls(pid, started(pid) or "")

    @property
    def alive(self) -> bool:
        return self.started != "" and started(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Signal it, if it is still the one it was."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def ends_within(self, limit_s: float) -> bool:
        """Wait until it has ended; False when it has not within the limit."""
        return comes_true(lambda: not self.alive, limit_s)


def started(pid: int) -> str | None:
    """When a process began, as text to compare; None when there is none or only its exit code is left."""
    try:
        # The name, second, is in brackets and may hold anything; the state is third, the start time 22nd.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()
    except OSError:
        return None if Path("/proc/self").exists() else _started_by_ps(pid)
    return None if fields[0] in "ZX" else f"{_boot()}/{fields[19]}"


def _boot() -> str:
    # Start times count from the boot, so that without it a process of another day could look the same.
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "boot"


def _started_by_ps(pid: int) -> str | None:
    answer = _ps(pid, "state=,lstart=")
    return None if not answer or answer.startswith("Z") else answer.partition(" ")[2].strip()


def _ps(pid: int, columns: str) -> str:
    command = ["ps", "-ww", "-o", columns, "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603


def command_line(pid: int) -> list[str]:
    """The words a process was started with; none when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")[:-1]
    except OSError:
        return [] if Path("/proc/self").exists() else _ps(pid, "args=").split()


def comes_true(condition: Callable[[], bool], limit_s: float, every_s: float = 0.05) -> bool:
    """Ask until the condition holds; False when the limit passes before."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(wanted: int = 0, host: str = "127.0.0.1") -> int:
    """The wanted port when it is free, else any free one, which nobody else is given for a minute.

    A connection that was closed there keeps it (TIME_WAIT): the system gives it to nobody who asks for any port, and to
    whoever asks for this one with SO_REUSEADDR, as servers do.
    """
    if wanted and is_free(wanted, host):
        return wanted
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
        with socket.create_connection(("127.0.0.1", port)) as caller:
            server.accept()[0].close()  # who closes first is who waits
            caller.recv(1)
    return port


def last_lines(path: Path, count: int = 15) -> str:
    """The end of a log, indented, for a message."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 16_384))
            lines = file.read().decode("utf-8", "replace").splitlines()[-count:]
    except OSError:
        lines = []
    return "\n".join("    " + line for line in lines) or "    (it wrote nothing)"
