"""Processes of the product in a twentieth of a second: forked from one that has loaded all of it, once.

A start of its own takes each of them most of a second of a core, nearly all of it imports. What is forked runs the same
`python -m …` from its first line on, with an environment, a folder and outputs of its own.
"""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from tests.locks import alone

PRODUCT = ("app", "consumers", "mock_gateway")
_PROGRAMS = ("__main__", "leash")
"""Modules that are run, never imported."""
# What a library may read as it is loaded, or the interpreter as it starts, needs a start of its own.
_READ_BEFORE = ("LD_", "OTEL_", "PYTHON", "PROMETHEUS_", "TZ", "SSL_", "LC_", "LANG")
_LENGTH = 4

home: Path | None = None
"""The folder of a run of the tests, and the process that the run is: elsewhere every process has a start of its own."""
run_by = 0
_nurseries: list["subprocess.Popen[bytes]"] = []
"""Kept, as what is dropped complains of the process that it leaves behind."""


class Forked:
    """What `subprocess.Popen` is to a process that was started, to one that was forked."""

    def __init__(self, words: Sequence[str], pid: int, status: int) -> None:
        self.args = list(words)
        self.pid = pid
        self.returncode: int | None = None
        self._status = status
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """Its exit code, or the number of the signal that ended it, negative; None while it runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            TimeoutExpired: it has not ended within so many seconds.
        """
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _look(self, timeout_s: float | None) -> int | None:
        with self._lock:
            if self.returncode is None and select.select([self._status], [], [], timeout_s)[0]:
                self.returncode = int.from_bytes(os.read(self._status, _LENGTH), "big", signed=True)
                os.close(self._status)
            return self.returncode


Process = subprocess.Popen[bytes] | Forked


def start(
    words: Sequence[str], cwd: Path, environment: Mapping[str, str], out: IO[bytes] | int, err: IO[bytes] | int
) -> Process:
    """Run `python -m WORDS`, with its output where it is said."""
    if home is None or any(name.startswith(_READ_BEFORE) for name in environment):
        return subprocess.Popen([sys.executable, "-m", *words], cwd=cwd, env=environment, stdout=out, stderr=err)
    order = json.dumps([list(words), str(cwd), dict(environment)]).encode()
    outputs = [to if isinstance(to, int) else to.fileno() for to in (out, err)]
    status, theirs = os.pipe()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.connect(str(_nursery(home)))
            socket.send_fds(connection, [order], [*outputs, theirs])
    finally:
        os.close(theirs)
    pid = int.from_bytes(os.read(status, _LENGTH), "big")
    assert pid, f"{words} could not be forked"
    return Forked(words, pid, status)


def run(
    words: Sequence[str], cwd: Path, environment: Mapping[str, str], limit_s: float = 300.0
) -> subprocess.CompletedProcess[str]:
    """Run `python -m WORDS` to its end.

    Raises:
        TimeoutExpired: it has not ended within the limit, and was killed.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = start(words, cwd, environment, out, err)
        try:
            code = process.wait(limit_s)
        except BaseException:
            process.kill()
            process.wait()
            raise
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(list(words), code, out.read().decode(), err.read().decode())


def hears(pid: int, number: int) -> bool:
    """Whether a process has a handler for the signal by now; so it is where the system does not say, and of one that
    has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (number - 1) & 1)


def leave() -> None:
    """Leave the process that all are forked from, if it is of ours, to the end of the run, which it sees by itself."""
    for nursery in _nurseries:
        let_go(nursery)
    _nurseries.clear()


def let_go(child: "subprocess.Popen[bytes]") -> None:
    """Have a child live on. Of one whose end nobody has seen its `Popen` complains, at the latest at our own end."""
    child.returncode = 0


def _nursery(folder: Path) -> Path:
    """Where the process takes orders that all are forked from. The first who asks starts it."""
    place = folder / "forks"
    with alone(folder / "forks.lock"):
        if not place.exists():
            command = [sys.executable, "-m", __name__, str(place), str(run_by)]
            with (folder / "forks.log").open("ab") as log:
                nursery = subprocess.Popen(
                    command, cwd=Path(__file__).parents[1], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    start_new_session=True,
                )  # fmt: skip
            _nurseries.append(nursery)
            while not place.exists():
                assert nursery.poll() is None, (folder / "forks.log").read_text()
                time.sleep(0.02)
    return place


def _serve(place: Path, run_by: int) -> list[Any]:
    """Fork for each order, as long as the run lasts. Returns in what was forked, with what it is to be."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(f"{place}.new")
        listener.listen(64)
        Path(f"{place}.new").rename(place)
        while True:
            while not select.select([listener], [], [], 1.0)[0]:
                os.kill(run_by, 0)
            connection, _ = listener.accept()
            with connection:
                order, descriptors, _, _ = socket.recv_fds(connection, 1 << 20, 3)
            if os.fork() == 0:
                break
            for descriptor in descriptors:
                os.close(descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _have_a_parent_that_tells_the_end(descriptors)
    found: list[Any] = json.loads(order)
    return found


def _have_a_parent_that_tells_the_end(descriptors: Sequence[int]) -> None:
    out, err, status = descriptors
    pid = os.fork()
    if pid == 0:
        os.dup2(out, 1)
        os.dup2(err, 2)
        for descriptor in descriptors:
            os.close(descriptor)
        return
    os.close(out)
    os.close(err)
    os.write(status, pid.to_bytes(_LENGTH, "big"))
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.write(status, code.to_bytes(_LENGTH, "big", signed=True))
    os._exit(0)


def _load() -> None:
    for name in PRODUCT:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not module.name.endswith(_PROGRAMS):
                importlib.import_module(module.name)


def main() -> None:
    """Load the product and fork it; in what was forked, be it."""
    place, run_by = Path(sys.argv[1]), int(sys.argv[2])
    _load()
    gc.freeze()  # what is never looked through is never copied
    try:
        words, cwd, environment = _serve(place, run_by)
    except ProcessLookupError:
        return
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[0] = cwd
    sys.argv = list(words)
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
