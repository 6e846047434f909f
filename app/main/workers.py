"""`strongbox api --workers N`: one listening socket, N processes that accept from it, and one that looks after them."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import structlog

from app.adapters.http.door import close_door

BACKLOG = 2048
RESTART_AFTER_S = 1.0
WATCH_EVERY_S = 0.2
LEASH = Path(__file__).with_name("local") / "leash.py"

_log = structlog.get_logger(__name__)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket that children may inherit.

    Raises:
        OSError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    listener.set_inheritable(True)
    return listener


class Workers:
    """Runs `count` workers until SIGTERM or SIGINT, then ends them in good order. One that dies is replaced."""

    def __init__(self, listener: socket.socket, count: int, grace_s: float) -> None:
        self._listener = listener
        self._grace_s = grace_s
        self._slots: list[subprocess.Popen[bytes] | None] = [None] * count
        self._stop = False

    def run(self) -> None:
        """Serve."""
        # The workers' metrics meet in files here, so that a scrape sees them all, whoever answers it.
        metrics = Path(tempfile.mkdtemp(prefix="strongbox-metrics-"))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        try:
            started_at = [0.0] * len(self._slots)
            while not self._stop:
                for nth, worker in enumerate(self._slots):
                    if worker is not None and worker.poll() is None:
                        continue
                    if worker is not None and time.monotonic() - started_at[nth] < RESTART_AFTER_S:
                        continue  # one that dies at once is not started over and over
                    if worker is not None:
                        _log.error("worker_died", pid=worker.pid, exit_code=worker.returncode)
                    started_at[nth] = time.monotonic()
                    self._slots[nth] = self._start(metrics)
                time.sleep(WATCH_EVERY_S)
            self._end()
        finally:
            shutil.rmtree(metrics, ignore_errors=True)

    def _start(self, metrics: Path) -> subprocess.Popen[bytes]:
        fd = self._listener.fileno()
        return subprocess.Popen(  # noqa: S603 -- our own command
            # On the leash: an orphan would keep the port, and a restarted parent could not listen.
            [sys.executable, str(LEASH), str(os.getpid()), sys.executable, "-m", "app", "api", "--fd", str(fd)],
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
