"""`strongbox api --workers N`: one listening socket, N processes that accept from it, and one that looks after them."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import structlog
from prometheus_client.multiprocess import mark_process_dead

from app.platform.http.listener import close_door

RESTART_AFTER_S = 1.0
WATCH_EVERY_S = 0.2
METRICS_PREFIX = "strongbox-metrics-"
LEASH = Path(__file__).with_name("leash.py")

_log = structlog.get_logger(__name__)


@contextmanager
def metrics_folder() -> Iterator[Path]:
    """A folder where the workers' metrics meet, so that a scrape sees them all, whoever answers it.

    Its owner holds a lock on it: a folder that nobody holds was left behind by one that was killed, and goes now.
    """
    parent = Path(tempfile.gettempdir())
    for left in parent.glob(f"{METRICS_PREFIX}*"):
        with _lock(left, fcntl.LOCK_NB) as held:
            if held:
                shutil.rmtree(left, ignore_errors=True)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=METRICS_PREFIX, dir=parent))
        with _lock(folder):
            if folder.exists():  # else another start took it for left behind, before the lock was on
                try:
                    yield folder
                finally:
                    shutil.rmtree(folder, ignore_errors=True)
                return


@contextmanager
def _lock(folder: Path, how: int = 0) -> Iterator[bool]:
    """Hold the folder; False when it cannot be had."""
    with ExitStack() as stack:
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            stack.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | how)
        except OSError:
            yield False
        else:
            yield True


class Workers:
    """Runs `count` workers until SIGTERM or SIGINT, then ends them in good order. One that dies is replaced.

    `command` is what a worker is told on the command line, besides the socket.
    """

    def __init__(self, listener: socket.socket, count: int, grace_s: float, command: Sequence[str] = ("api",)) -> None:
        self._listener = listener
        self._command = command
        self._grace_s = grace_s
        self._slots: list[subprocess.Popen[bytes] | None] = [None] * count
        self._stop = False

    def run(self) -> None:
        """Serve."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        with metrics_folder() as metrics:
            started_at = [0.0] * len(self._slots)
            while not self._stop:
                for nth, worker in enumerate(self._slots):
                    if worker is not None and worker.poll() is None:
                        continue
                    if worker is not None and time.monotonic() - started_at[nth] < RESTART_AFTER_S:
                        continue  # one that dies at once is not started over and over
                    if worker is not None:
                        _log.error("worker_died", pid=worker.pid, exit_code=worker.returncode)
                        # Its gauges end with it; what it has counted stays counted.
                        mark_process_dead(worker.pid, str(metrics))  # type: ignore[no-untyped-call]
                    started_at[nth] = time.monotonic()
                    self._slots[nth] = self._start(metrics)
                time.sleep(WATCH_EVERY_S)
            self._end()

    def _start(self, metrics: Path) -> subprocess.Popen[bytes]:
        fd = self._listener.fileno()
        return subprocess.Popen(  # noqa: S603 -- our own command
            # On the leash: an orphan would keep the port, and a restarted parent could not listen.
            [
                sys.executable,
                str(LEASH),
                str(os.getpid()),
                sys.executable,
                "-m",
                "app",
                *self._command,
                "--fd",
                str(fd),
            ],
            pass_fds=[fd],
            env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(metrics)},
            start_new_session=True,  # a Ctrl-C reaches this process, which tells the workers
        )

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._stop = True

    def _end(self) -> None:
        close_door(self._listener)
        alive = [worker for worker in self._slots if worker is not None and worker.poll() is None]
        for worker in alive:
            worker.terminate()
        deadline = time.monotonic() + self._grace_s + 5
        for worker in alive:
            try:
                worker.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
